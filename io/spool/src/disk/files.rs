//! The files of a spool: their names, and those that are open.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::volume::{Log, Volume};

/// Segments that are open for reading.
#[derive(Default)]
pub(super) struct Files(Mutex<BTreeMap<u32, Arc<dyn Log>>>);

impl Files {
    pub(super) fn add(&self, segment: u32, file: Arc<dyn Log>) {
        self.0.lock().insert(segment, file);
    }

    pub(super) fn of(&self, segment: u32) -> Option<Arc<dyn Log>> {
        self.0.lock().get(&segment).cloned()
    }

    pub(super) fn forget(&self, segment: u32) {
        self.0.lock().remove(&segment);
    }
}

/// What is kept aside for a disk that is full.
pub(super) const RESERVE: &str = "reserve";

pub(super) fn segment_name(segment: u32) -> String {
    format!("{segment:08}.seg")
}

pub(super) fn index_name(segment: u32) -> String {
    format!("{segment:08}.idx")
}

/// Where octets of a segment are put that cannot be read.
pub(super) fn quarantine_name(segment: u32, offset: u64) -> String {
    format!("quarantine/{segment:08}-{offset:010}.bad")
}

/// The numbers of all segments there are, in order.
pub(super) fn segments(volume: &dyn Volume) -> io::Result<Vec<u32>> {
    let mut numbers: Vec<u32> =
        volume.names()?.iter().filter_map(|name| number(name, ".seg")).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes what belongs to no segment: indexes that outlived theirs, and half of a new one.
pub(super) fn sweep(volume: &dyn Volume) -> io::Result<()> {
    let names = volume.names()?;
    let belongs = |name: &String| {
        let index = number(name, ".idx");
        let has_segment = |number| names.contains(&segment_name(number));
        number(name, ".idx.new").is_none() && index.is_none_or(has_segment)
    };
    names.iter().filter(|name| !belongs(name)).try_for_each(|name| volume.remove(name))
}

fn number(name: &str, ending: &str) -> Option<u32> {
    let digits = name.strip_suffix(ending)?;
    (digits.len() >= 8).then(|| digits.parse().ok()).flatten().filter(|number| *number > 0)
}
