//! Files of later versions: what may be passed over is, and what may not is refused untouched.

use super::super::OpenError;
use super::super::faulty::Faulty;
use super::rig::{Rig, SETTINGS, id, message};
use crate::format::{HEADER_OCTETS, SEGMENT_HEADER_OCTETS};
use crate::store::{Changes, Seq, Store as _, Urgency};

/// Where the second record's header is, in a crashed spool of two: changes and a message.
fn written() -> (Faulty, usize) {
    let volume = Faulty::default();
    let mut rig = Rig::open(&volume, SETTINGS).unwrap().rig;
    let mut changes = Changes { seq: Seq(1), urgency: Urgency::Now, ..Changes::default() };
    changes.insertions.push(message(1, 1, 50));
    rig.disk.commit(changes);
    rig.step();
    let second = volume.used() as usize;
    drop(rig.disk.insert(message(2, 1, 50)));
    rig.step();
    (volume.after_crash(1), second)
}

const SEGMENT: &str = "00000001.seg";

/// The spool with a change to its segment's octets, and right checksums again.
fn changed(change: impl Fn(&mut Vec<u8>)) -> Faulty {
    let (volume, second) = written();
    let mut files = volume.all();
    let octets = files.get_mut(SEGMENT).unwrap();
    change(octets);
    for header in [SEGMENT_HEADER_OCTETS, second] {
        let many = u32::from_le_bytes(octets[header + 12..header + 16].try_into().unwrap());
        let body = header + HEADER_OCTETS;
        let check = crc32c::crc32c(&octets[body..body + many as usize]);
        octets[header + 16..header + 20].copy_from_slice(&check.to_le_bytes());
        let crc = crc32c::crc32c(&octets[header..header + 36]);
        octets[header + 36..header + 40].copy_from_slice(&crc.to_le_bytes());
    }
    let crc = crc32c::crc32c(&octets[..28]);
    octets[28..32].copy_from_slice(&crc.to_le_bytes());
    Faulty::with(&files)
}

const RECORD: usize = SEGMENT_HEADER_OCTETS;
const ENTRY: usize = SEGMENT_HEADER_OCTETS + HEADER_OCTETS;

#[test]
fn what_a_later_version_lets_pass_is_passed_over() {
    for at in [RECORD + 4, ENTRY] {
        let opened = Rig::open(&changed(|octets| octets[at] = 0x85), SETTINGS).unwrap();
        assert_eq!(opened.report.findings, []);
        let ids: Vec<_> = opened.recovered.iter().map(|r| r.id).collect();
        assert_eq!(ids, [id(2)]);
    }
}

#[test]
fn what_a_later_version_does_not_let_pass_is_refused_and_left_as_it_is() {
    for (at, octet) in [(RECORD + 4, 0x05), (ENTRY, 0x25), (8, 2)] {
        let volume = changed(|octets| octets[at] = octet);
        let before = volume.all();
        let refused = Rig::open(&volume, SETTINGS).err().unwrap();
        assert!(matches!(refused, OpenError::Later { segment: 1, .. }), "{refused}");
        assert_eq!(volume.all(), before);
    }
}
