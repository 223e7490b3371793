//! Reading what is to be searched: whole files and folders, through windows that overlap, so that nothing
//! hides on a boundary. Links are not followed: what they point to is either in the scan itself or none of it.

use std::fs::{File, FileType};
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use super::{Findings, Gathered, Scanner};

/// Bytes searched at a time.
const WINDOW: usize = 32 << 20;
/// Bytes read beyond them: a compressed stream is followed this far past the end of its window.
const OVERLAP: usize = 8 << 20;

impl Scanner {
    /// Searches a file, a folder with everything below it, or a disk image.
    #[must_use]
    pub fn scan_path(&self, path: &Path) -> Findings {
        let mut gathered = Gathered::default();
        match std::fs::symlink_metadata(path) {
            // A link given on the command line itself is meant.
            Ok(link) if link.is_symlink() => match std::fs::metadata(path) {
                Ok(target) => self.visit(path, target.file_type(), &mut gathered),
                Err(error) => unread(path, &error, &mut gathered),
            },
            Ok(meta) => self.visit(path, meta.file_type(), &mut gathered),
            Err(error) => unread(path, &error, &mut gathered),
        }
        gathered.finish(self.needles())
    }

    fn visit(&self, path: &Path, kind: FileType, gathered: &mut Gathered) {
        self.name(path, gathered);
        if kind.is_dir() {
            match std::fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
                Ok(mut entries) => {
                    entries.sort_by_key(std::fs::DirEntry::file_name);
                    for entry in entries {
                        match entry.file_type() {
                            Ok(kind) => self.visit(&entry.path(), kind, gathered),
                            Err(error) => unread(&entry.path(), &error, gathered),
                        }
                    }
                }
                Err(error) => unread(path, &error, gathered),
            }
        } else if kind.is_file() || kind.is_block_device() {
            if let Err(error) = self.file(path, gathered) {
                unread(path, &error, gathered);
            }
        } else {
            gathered.findings.skipped.push(path.display().to_string());
        }
    }

    /// The last part of a path may itself be a secret.
    fn name(&self, path: &Path, gathered: &mut Gathered) {
        let label = path.display().to_string();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        self.matches(name, |at, number, form| {
            gathered.add(number, &label, format!("{form} in the name"), at as u64);
        });
    }

    fn file(&self, path: &Path, gathered: &mut Gathered) -> io::Result<()> {
        let label = path.display().to_string();
        let mut file = File::open(path)?;
        let mut bytes = Vec::new();
        let mut offset = 0_u64;
        let overlap = OVERLAP.max(self.longest);
        loop {
            let wanted = (WINDOW + overlap).saturating_sub(bytes.len());
            let read = file.by_ref().take(wanted as u64).read_to_end(&mut bytes)?;
            let last = read < wanted;
            let own = if last { bytes.len() } else { WINDOW };
            self.window(&label, &bytes, offset, own, gathered);
            gathered.findings.bytes += own as u64;
            if last {
                break;
            }
            bytes.drain(..own);
            offset += own as u64;
        }
        gathered.findings.files += 1;
        Ok(())
    }
}

fn unread(path: &Path, error: &io::Error, gathered: &mut Gathered) {
    gathered.findings.unread.push(format!("{}: {error}", path.display()));
}
