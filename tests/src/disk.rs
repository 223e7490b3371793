//! A disk of one's own: a file system in a file, mounted until dropped.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The disk.
pub struct Disk {
    image: PathBuf,
    folder: PathBuf,
}

impl Disk {
    /// Makes and mounts one; `None` where this process may not mount (it needs root and loop devices).
    pub fn make(at: &Path, mib: u64) -> Option<Self> {
        let (image, folder) = (at.join("disk.img"), at.join("disk"));
        File::create(&image).ok()?.set_len(mib << 20).ok()?;
        fs::create_dir(&folder).ok()?;
        let did = |program: &str, arguments: &[&str]| {
            Command::new(program).args(arguments).arg(&image).output().is_ok_and(|out| out.status.success())
        };
        if !did("mkfs.ext4", &["-q", "-m", "0"]) {
            return None;
        }
        let mounted = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&folder).output().ok()?;
        mounted.status.success().then_some(Self { image, folder })
    }

    /// Where it is mounted.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file it is in.
    pub fn image(&self) -> &Path {
        &self.image
    }

    /// Writes until nothing fits any more.
    ///
    /// # Errors
    /// The filler cannot even be begun.
    pub fn fill(&self) -> std::io::Result<()> {
        let mut filler = File::create(self.folder.join("filler"))?;
        for size in [1 << 20, 4096, 1] {
            while filler.write_all(&vec![7; size]).is_ok() && filler.sync_data().is_ok() {}
        }
        Ok(())
    }

    /// Takes that back.
    ///
    /// # Errors
    /// It was not filled.
    pub fn make_room(&self) -> std::io::Result<()> {
        fs::remove_file(self.folder.join("filler"))
    }

    /// Lets go of one that a process made here and did not live to unmount; where there is none, nothing happens.
    pub fn release(at: &Path) {
        unmount(&at.join("disk"));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.folder);
    }
}

fn unmount(folder: &Path) {
    let _ = Command::new("umount").arg("-l").arg(folder).output();
}
