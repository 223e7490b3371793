//! A small ext4 of our own, in a file in memory, mounted through a loop device.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::say;

/// A mounted image; unmounted and removed when dropped.
pub(crate) struct Image {
    dir: tempfile::TempDir,
    mounted: bool,
}

impl Image {
    /// Makes and mounts an ext4 of `mib` MiB, or says why that is impossible here.
    pub(crate) fn new(test: &str, mib: u64) -> Option<Self> {
        match Self::try_new(mib) {
            Ok(image) => Some(image),
            Err(why) => {
                say(&format!("SKIPPED {test}: {why}; run it as root where loop devices and mkfs.ext4 are"));
                None
            }
        }
    }

    fn try_new(mib: u64) -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("not root".to_owned());
        }
        if !Path::new("/dev/loop-control").exists() {
            return Err("no loop devices".to_owned());
        }
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory } else { Path::new("/tmp") };
        let dir = tempfile::Builder::new().prefix("hibiki-store-").tempdir_in(place);
        let mut image = Self { dir: dir.map_err(|error| error.to_string())?, mounted: false };
        fs::File::create(image.file()).and_then(|file| file.set_len(mib << 20)).map_err(|e| e.to_string())?;
        run("mkfs.ext4", &["-q", "-F", "-m", "0"], &[&image.file()])?;
        image.mount()?;
        Ok(image)
    }

    fn mount(&mut self) -> Result<(), String> {
        fs::create_dir_all(self.path()).map_err(|error| error.to_string())?;
        run("mount", &["-o", "loop"], &[&self.file(), &self.path()])?;
        self.mounted = true;
        Ok(())
    }

    /// The mounted folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("mnt")
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    /// What a disk that loses power now would hold: exactly the bytes the device has, nothing from memory.
    pub(crate) fn after_power_cut(&self) -> Self {
        let place = self.dir.path().parent().unwrap();
        let dir = tempfile::Builder::new().prefix("hibiki-store-").tempdir_in(place).unwrap();
        let mut image = Self { dir, mounted: false };
        run("cp", &["--sparse=always"], &[&self.file(), &image.file()]).unwrap();
        image.mount().unwrap();
        image
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if self.mounted
            && let Err(why) = run("umount", &["--lazy"], &[&self.path()])
        {
            say(&why);
        }
    }
}

fn run(program: &str, options: &[&str], paths: &[&Path]) -> Result<(), String> {
    let output = Command::new(program).args(options).args(paths).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}
