//! How the disk is used, and which values make sense.

use std::path::Path;

use super::{OpenError, directory};

/// How the disk is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// A segment is closed when it is larger, in octets; 4 KiB to 1 GiB.
    pub segment_octets: u64,
    /// New mail is refused while less is free on the file system, in octets; 0: never.
    pub free_octets_min: u64,
    /// The same in percent of the file system, 0 to 100. Of the two the smaller one counts, so
    /// that a small disk can be used, too, and little of a large one lies idle.
    pub free_percent_min: u8,
    /// Octets kept aside while there is room, and given up when there is none: outcomes are written
    /// there, so that what is delivered gives room back. 0: none.
    pub reserve_octets: u64,
    /// What waits for the disk, in octets, before new mail is refused; 1 MiB to 1 GiB.
    pub backlog_octets_max: u64,
}

/// Room on a file system, in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomAt {
    /// Free for us.
    pub free: u64,
    /// New mail is refused while less than that is free.
    pub free_min: u64,
    /// All there are.
    pub in_all: u64,
}

impl Default for Settings {
    /// All chosen, not measured: a segment is removed as a whole, so it should hold minutes of
    /// mail, not days; the backlog is a second of a disk that writes 256 MiB/s; the reserve is for
    /// some forty thousand outcomes.
    fn default() -> Self {
        Self {
            segment_octets: 128 << 20,
            free_octets_min: 512 << 20,
            free_percent_min: 5,
            reserve_octets: 4 << 20,
            backlog_octets_max: 256 << 20,
        }
    }
}

const SEGMENT_OCTETS: std::ops::RangeInclusive<u64> = 4 << 10..=1 << 30;
const BACKLOG_OCTETS: std::ops::RangeInclusive<u64> = 1 << 20..=1 << 30;

// A batch is appended to a segment that is not full yet; what the committer and the engine
// write themselves comes on top. Offsets have four octets.
const _: () = assert!(*SEGMENT_OCTETS.end() + *BACKLOG_OCTETS.end() < u32::MAX as u64 / 2 + 2);

impl Settings {
    pub(super) fn check(&self) -> Result<(), OpenError> {
        let within = |setting, value: u64, range: &std::ops::RangeInclusive<u64>| {
            if range.contains(&value) {
                return Ok(());
            }
            let (min, max) = (*range.start(), *range.end());
            Err(OpenError::OutOfBounds { setting, value, min, max })
        };
        within("segment_octets", self.segment_octets, &SEGMENT_OCTETS)?;
        within("backlog_octets_max", self.backlog_octets_max, &BACKLOG_OCTETS)?;
        within("free_percent_min", u64::from(self.free_percent_min), &(0..=100))
    }

    /// How much is free on the file system that a directory is on, or will be made on, and how much
    /// must stay free there; none where the system does not tell. Nothing is changed.
    pub fn room_at(&self, dir: &Path) -> Option<RoomAt> {
        let is_there = |dir: &&Path| !dir.as_os_str().is_empty() && dir.exists();
        let there = dir.ancestors().find(is_there).unwrap_or_else(|| Path::new("."));
        let room = directory::room(there).ok()?;
        let free_min = self.watermark(room.in_all);
        Some(RoomAt { free: room.free, free_min, in_all: room.in_all })
    }

    /// Free octets below which new mail is refused on a file system of this size.
    pub(super) fn watermark(&self, in_all: u64) -> u64 {
        let share = u128::from(in_all) * u128::from(self.free_percent_min) / 100;
        self.free_octets_min.min(u64::try_from(share).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_octets_and_percent_the_smaller_counts() {
        let watermark = |free_octets_min, in_all| {
            Settings { free_octets_min, ..Settings::default() }.watermark(in_all)
        };
        assert_eq!(watermark(512 << 20, 1 << 40), 512 << 20);
        // A small disk, and one of which more than 5 % is asked for.
        assert_eq!(watermark(512 << 20, 1 << 30), (1 << 30) / 20);
        assert_eq!(watermark(900 << 30, 1 << 40), (1 << 40) / 20);
    }
}
