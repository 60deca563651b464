//! `[spool]`: where mail is kept until it is gone.

use std::path::PathBuf;

use crate::config::declaration::{default, settings};
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
        }
    }
}
