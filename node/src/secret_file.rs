//! Files that hold one 32-byte secret: written once, readable by their owner alone.
//!
//! The format is 64 hexadecimal digits and a newline, so that an operator can see that a file is
//! whole without a tool. Must not know what a secret is for.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// A secret's text is 64 digits; anything much longer is another file.
const LONGEST_FILE: u64 = 256;

/// Why a secret could not be stored or read. Names the file, never its content.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file exists: secrets are never overwritten.
    #[error("{path} exists already; a key is never overwritten — move it away if you mean to replace it")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error("{path} can be read by others (mode {mode:o}); run: chmod 600 {path}")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold a secret.
    #[error("{path} does not hold a key of 64 hexadecimal digits; restore it from your backup")]
    NotASecret {
        /// The file.
        path: PathBuf,
    },
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes `secret` to a new file at `path`; it is on the disk when this returns.
///
/// # Errors
/// The file exists, or cannot be written.
pub fn create(path: &Path, secret: &[u8; 32]) -> Result<(), SecretFileError> {
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => SecretFileError::Exists { path: path.to_owned() },
        _ => SecretFileError::Io { path: path.to_owned(), source },
    };
    let mut text = Zeroizing::new(hex::encode(secret));
    text.push('\n');
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fail)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            File::open(folder).and_then(|f| f.sync_all()).map_err(fail)
        }
        _ => Ok(()),
    }
}

/// Reads the secret at `path`.
///
/// # Errors
/// The file is absent, readable by others, or not a secret.
pub fn read(path: &Path) -> Result<Zeroizing<[u8; 32]>, SecretFileError> {
    let fail = |source| SecretFileError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(fail)?;
    let mode = file.metadata().map_err(fail)?.mode();
    if mode & 0o077 != 0 {
        return Err(SecretFileError::TooOpen { path: path.to_owned(), mode: mode & 0o7777 });
    }
    let mut text = Zeroizing::new(String::new());
    let not_a_secret = || SecretFileError::NotASecret { path: path.to_owned() };
    file.take(LONGEST_FILE).read_to_string(&mut text).map_err(|_| not_a_secret())?;
    let mut secret = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_end(), secret.as_mut()).map_err(|_| not_a_secret())?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_returns_as_written_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        create(&path, &[7; 32]).unwrap();
        assert_eq!(*read(&path).unwrap(), [7; 32]);
        assert!(matches!(create(&path, &[8; 32]), Err(SecretFileError::Exists { .. })));
        assert_eq!(*read(&path).unwrap(), [7; 32]);
    }

    #[test]
    fn a_secret_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        create(&path, &[7; 32]).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o644] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read(&path), Err(SecretFileError::TooOpen { .. })), "{mode:o}");
        }
    }

    #[test]
    fn damaged_files_are_refused_without_showing_their_content() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in
            [("short", "abcd"), ("text", "not hexadecimal at all"), ("long", &"ab".repeat(200))]
        {
            let path = folder.path().join(name);
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .unwrap()
                .write_all(content.as_bytes())
                .unwrap();
            let refused = read(&path).unwrap_err().to_string();
            assert!(refused.contains("64 hexadecimal digits") && !refused.contains(content), "{refused}");
        }
    }
}
