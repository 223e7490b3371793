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

/// What a walk hands over: a path, and what is there or why that could not be read.
pub(crate) type Each<'e> = dyn FnMut(&Path, io::Result<FileType>) + 'e;

/// Everything at a path and below it, in order of names. A link at the path itself is meant.
pub(crate) fn walk(path: &Path, each: &mut Each<'_>) {
    below(path, path.metadata().map(|meta| meta.file_type()), each);
}

fn below(path: &Path, kind: io::Result<FileType>, each: &mut Each<'_>) {
    let folder = kind.as_ref().is_ok_and(FileType::is_dir);
    each(path, kind);
    if folder {
        match path.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(mut entries) => {
                entries.sort_by_key(std::fs::DirEntry::file_name);
                entries.iter().for_each(|entry| below(&entry.path(), entry.file_type(), each));
            }
            Err(error) => each(path, Err(error)),
        }
    }
}

impl Scanner {
    /// Searches a file, a folder with everything below it, or a disk image.
    #[must_use]
    pub fn scan_path(&self, path: &Path) -> Findings {
        let mut gathered = Gathered::default();
        walk(path, &mut |path, kind| {
            let label = path.display().to_string();
            let read = kind.and_then(|kind| {
                // The last part of a path may itself be a secret.
                let name = path.file_name().unwrap_or_default().as_encoded_bytes();
                for (at, number, form) in self.forms.find(name) {
                    gathered.add(number, &label, format!("{form} in the name"), at as u64);
                }
                if kind.is_file() || kind.is_block_device() {
                    return self.file(path, &label, &mut gathered);
                } else if !kind.is_dir() {
                    gathered.findings.skipped.push(label.clone());
                }
                Ok(())
            });
            if let Err(error) = read {
                gathered.findings.unread.push(format!("{label}: {error}"));
            }
        });
        gathered.finish(self.needles())
    }

    fn file(&self, path: &Path, label: &str, gathered: &mut Gathered) -> io::Result<()> {
        let mut file = File::open(path)?;
        let (mut bytes, mut offset) = (Vec::new(), 0);
        let overlap = OVERLAP.max(self.longest);
        loop {
            let wanted = (WINDOW + overlap).saturating_sub(bytes.len());
            let read = file.by_ref().take(wanted as u64).read_to_end(&mut bytes)?;
            let last = read < wanted;
            let own = if last { bytes.len() } else { WINDOW };
            self.window(label, &bytes, offset, own, gathered);
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
