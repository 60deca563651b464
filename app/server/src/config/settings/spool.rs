//! `[spool]`: where mail is kept until it is gone.

use std::path::PathBuf;

use postlane_spool::{RoomAt, Settings};

use crate::config::declaration::{default, settings};
use crate::config::finding::{Told, Weight};
use crate::config::section::{Fields, Section};
use crate::config::value::Size;

settings! {
    /// Where mail is kept until it is gone.
    pub struct Spool in "spool" {
        /// The folder for the spool and everything else of ours. Only one Postlane uses it at once.
        dir: PathBuf = default(PathBuf::from("postlane-data")).restart();
        /// A file of the log is closed when it is larger. Room is given back by files.
        segment_size: Size = default(Size::mib(128)).between(Size::mib(1), Size::gib(1)).restart();
        /// New mail is answered 452 while less of the disk is free than this and than 5% of it: the
        /// smaller of the two counts, so more than 5% of the disk is as good as 5%. Delivery goes on.
        free_min: Size = default(Size::mib(512)).between(Size::mib(16), Size(1 << 40)).restart();
        /// Octets that wait for the disk in memory. Beyond it new mail is answered 452.
        backlog: Size = default(Size::mib(256)).between(Size::mib(1), Size::gib(1)).restart();
        /// Octets of young messages kept in memory for their first attempt. `0B` keeps none.
        body_cache: Size = default(Size::mib(64)).between(Size(0), Size::gib(64)).restart();
    }
}

impl Section for Spool {
    fn check(&self, fields: &mut Fields<'_, '_>) {
        if self.dir.is_file() {
            let cause = format!("{} is a file, and a folder is wanted", self.dir.display());
            fields.complain("dir", cause, "name a folder, or one that is still to be made");
            return;
        }
        let settings = Settings { free_octets_min: self.free_min.0, ..Settings::default() };
        let room = settings.room_at(&self.dir);
        if let Some(told) = room.and_then(|room| self.told(&room, fields.has("free_min"))) {
            fields.tell(told);
        }
    }
}

impl Spool {
    /// What this disk makes of `free_min`: mail that is refused from the start, or a part of the disk
    /// that counts in its place.
    fn told(&self, room: &RoomAt, is_written: bool) -> Option<Told> {
        let shown = |octets: u64| Size(octets >> 20 << 20);
        let (free, free_min, in_all) = (shown(room.free), shown(room.free_min), shown(room.in_all));
        let disk = format!("the disk of {} ({in_all})", self.dir.display());
        if room.free < room.free_min {
            return Some(Told {
                weight: Weight::Warning,
                key: if is_written { "free_min" } else { "dir" },
                cause: format!(
                    "{free} of {disk} is free, less than {free_min}: new mail is answered 452 from the \
                     start, and what waits is delivered"
                ),
                cure: "make room there, choose another disk (spool.dir), or write less for \
                       spool.free_min"
                    .to_owned(),
            });
        }
        let is_cut = is_written && room.free_min < self.free_min.0;
        is_cut.then(|| Told {
            weight: Weight::Warning,
            key: "free_min",
            cause: format!(
                "{} is more than 5% of {disk}, and the smaller of the two counts: new mail is answered \
                 452 when less than {free_min} is free, and not before",
                self.free_min
            ),
            cure: format!("write \"{free_min}\" or less; more is kept free by a quota, or by a disk of its own"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn told(free_min: Size, is_written: bool, room: [u64; 2]) -> Option<Told> {
        let [free, in_all] = room.map(|gib| gib << 30);
        let free_min_here = free_min.0.min(in_all / 20);
        let spool = Spool { free_min, dir: "/mail".into(), ..Config::default().spool };
        spool.told(&RoomAt { free, free_min: free_min_here, in_all }, is_written)
    }

    #[test]
    fn a_disk_on_which_mail_is_refused_from_the_start_is_told_with_what_is_free_and_the_cure() {
        let told = told(Size::gib(4), true, [3, 100]).unwrap();
        assert_eq!(told.key, "free_min");
        assert_eq!(
            told.cause,
            "3GiB of the disk of /mail (100GiB) is free, less than 4GiB: new mail is answered 452 \
             from the start, and what waits is delivered"
        );
        assert!(told.cure.contains("make room"), "{}", told.cure);
    }

    #[test]
    fn nobody_has_to_write_a_watermark_to_be_told_that_the_disk_is_full() {
        assert_eq!(told(Size::mib(512), false, [0, 100]).unwrap().key, "dir");
        assert!(told(Size::mib(512), false, [1, 100]).is_none());
    }

    #[test]
    fn a_watermark_above_5_percent_of_the_disk_is_told_where_somebody_wrote_it() {
        let told_cut = told(Size::gib(20), true, [90, 100]).unwrap();
        assert!(told_cut.cause.contains("when less than 5GiB is free"), "{}", told_cut.cause);
        // A small disk under the default is as the reference says.
        assert!(told(Size::mib(512), false, [4, 5]).is_none());
    }
}
