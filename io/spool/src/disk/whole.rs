//! The octets of a file, all at once.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Deref;

use memmap2::MmapMut;

/// The octets of a file. Those of a long queue are many and needed only at a start: they lie in
/// memory of their own, which goes back to the system with them, whatever the allocator would do.
pub(crate) struct Whole(Kind);

enum Kind {
    Apart(MmapMut),
    Among(Vec<u8>),
}

/// Smaller files are read as everything else is. Chosen, not measured.
const APART_OCTETS_MIN: u64 = 256 << 10;

impl Whole {
    /// Reads a file from where it stands to its end.
    pub(crate) fn read(mut file: &File) -> io::Result<Self> {
        let octets = file.metadata()?.len();
        if octets < APART_OCTETS_MIN {
            let mut whole = Vec::with_capacity(octets as usize);
            file.read_to_end(&mut whole)?;
            return Ok(whole.into());
        }
        let mut map = MmapMut::map_anon(octets as usize)?;
        file.read_exact(&mut map)?;
        Ok(Self(Kind::Apart(map)))
    }
}

impl From<Vec<u8>> for Whole {
    fn from(octets: Vec<u8>) -> Self {
        Self(Kind::Among(octets))
    }
}

impl Default for Whole {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kind::Apart(map) => map,
            Kind::Among(octets) => octets,
        }
    }
}

impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} octets", self.len())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn small_and_large_files_are_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for octets in [0, 1, APART_OCTETS_MIN - 1, APART_OCTETS_MIN, 3 * APART_OCTETS_MIN + 7] {
            let written: Vec<u8> = (0..octets).map(|n| n as u8).collect();
            fs::write(&path, &written).unwrap();
            let read = Whole::read(&File::open(&path).unwrap()).unwrap();
            assert!(*read == *written, "{octets}");
        }
    }
}
