//! Golden files: `POSTLANE_BLESS=1` writes them anew.

use std::path::Path;
use std::{env, fs};

pub(crate) fn check(name: &str, seen: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("POSTLANE_BLESS").is_some() {
        fs::write(&path, seen).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == seen, "{} differs:\n{seen}", path.display());
}
