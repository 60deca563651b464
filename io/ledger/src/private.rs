//! Files and folders that nobody else on the machine may read: who got mail from whom is in them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// How such files are made where they are not there.
pub(crate) fn options() -> OpenOptions {
    File::options().mode(0o600).to_owned()
}

/// A file to write into; what was there is gone.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(true).open(path)
}

/// Makes a folder and those above it that are not there.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
