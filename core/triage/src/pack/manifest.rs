//! What was in the pack when it was made, in the form of `sha256sum --check`.

use aws_lc_rs::digest;

use super::file::PackFile;

pub(super) fn write(files: &[PackFile]) -> String {
    let line = |file: &PackFile| {
        let hash = digest::digest(&digest::SHA256, &file.octets);
        let hash: String = hash.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
        format!("{hash}  {}\n", file.name)
    };
    files.iter().map(line).collect()
}
