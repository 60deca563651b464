//! Where a server keeps its queue while it is measured: the plain disk, or an ext4 of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// Size of the file that carries the ext4; sparse, so it takes what is written.
const LOOP_OCTETS: u64 = 16 << 30;

/// Kinds of disks.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// The file system of the bench folder as it is.
    Plain,
    /// A journaled ext4 in a loop file with direct I/O; needs root.
    Ext4,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain disk",
            Self::Ext4 => "journaled ext4",
        }
    }
}

/// A folder on such a disk; unmounted and removed when dropped.
pub(super) struct Disk {
    folder: PathBuf,
    /// The loop device and its file, when there is one.
    device: Option<(String, PathBuf)>,
}

impl Disk {
    /// Makes the folder under `home`.
    pub(super) fn make(kind: Kind, home: &Path) -> anyhow::Result<Self> {
        let folder = home.join("queue");
        fs::create_dir_all(&folder)
            .with_context(|| format!("while making {}", folder.display()))?;
        let mut disk = Self { folder, device: None };
        if kind == Kind::Ext4 {
            let image = home.join("ext4.img");
            File::create(&image)?.set_len(LOOP_OCTETS)?;
            run(Command::new("mkfs.ext4").arg("-q").arg(&image))?;
            let attach = ["--direct-io=on", "--find", "--show"];
            let device = run(Command::new("losetup").args(attach).arg(&image))?;
            disk.device = Some((device.trim().to_owned(), image));
            run(Command::new("mount").arg(device.trim()).arg(&disk.folder))?;
            // Postfix's daemons must be able to look in.
            run(Command::new("chmod").arg("755").arg(&disk.folder))?;
        }
        Ok(disk)
    }

    /// An empty folder on it for one run.
    pub(super) fn fresh(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)
            .with_context(|| format!("while making {}", folder.display()))?;
        Ok(folder)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Nobody is left to hear of an error here; a device left behind shows in `losetup`.
        if let Some((device, image)) = &self.device {
            let _ = run(Command::new("umount").arg(&self.folder));
            let _ = run(Command::new("losetup").args(["--detach", device]));
            let _ = fs::remove_file(image);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn run(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("while starting {command:?}"))?;
    anyhow::ensure!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
