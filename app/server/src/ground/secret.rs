//! The secret of this house: octets of chance that outlive restarts.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::rand;

/// Octets of the secret.
const SECRET_OCTETS: usize = 32;

/// What reverse-paths of ours are signed with, and users are made up from who do not exist.
/// Whoever moves a relay to another host and wants bounces of mail already sent to be known
/// there takes the file with them.
#[derive(Clone)]
pub(crate) struct HouseSecret(pub(crate) [u8; SECRET_OCTETS]);

impl HouseSecret {
    /// What the file holds; a new one is made where there is none, for its owner alone.
    pub(crate) fn load_or_create(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(octets) => octets.try_into().map(Self).map_err(|_| {
                let says = format!(
                    "{} does not hold {SECRET_OCTETS} octets: restore it, or remove it and a new one is made",
                    path.display()
                );
                io::Error::new(io::ErrorKind::InvalidData, says)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(error),
        }
    }

    fn create(path: &Path) -> io::Result<Self> {
        let secret = Self(random());
        // Renamed into place, so that a crash leaves no half of one.
        let new = path.with_extension("new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&secret.0)?;
        file.sync_all()?;
        fs::rename(new, path)?;
        Ok(secret)
    }
}

/// Octets that nobody can foresee.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    rand::fill(&mut octets).expect("the system's generator of chance does not fail once it runs");
    octets
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let made = HouseSecret::load_or_create(&path).unwrap();
        assert_eq!(made.0, HouseSecret::load_or_create(&path).unwrap().0);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, b"short").unwrap();
        assert!(HouseSecret::load_or_create(&path).is_err());
    }
}
