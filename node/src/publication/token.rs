//! The token a reader brings: `Authorization: Bearer …` (RFC 6750 section 2.1).

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Shortest token, in characters: 128 bits in hexadecimal digits.
const CHARS_MIN: usize = 32;
/// Longest token, in characters.
const CHARS_MAX: usize = 256;

/// Why a token cannot be used. Names the file, never its content.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no token.
    #[error(
        "{path} does not hold one line of {CHARS_MIN} to {CHARS_MAX} letters, digits and -._~+/=; \
         make it with: openssl rand -hex 32 > {path}"
    )]
    NotAToken {
        /// The file.
        path: PathBuf,
    },
}

/// A token; only its digest is kept.
pub struct Token([u8; 32]);

impl Token {
    /// Reads the token in a file.
    ///
    /// # Errors
    /// The file cannot be read, or holds no token.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let mut text = Zeroizing::new(Vec::new());
        let opened = File::open(path).and_then(|file| file.take(2 * CHARS_MAX as u64).read_to_end(&mut text));
        opened.map_err(|source| TokenError::Io { path: path.to_owned(), source })?;
        Self::parse(text.trim_ascii_end()).ok_or_else(|| TokenError::NotAToken { path: path.to_owned() })
    }

    fn parse(token: &[u8]) -> Option<Self> {
        let fits = (CHARS_MIN..=CHARS_MAX).contains(&token.len()) && token.iter().all(is_token_char);
        fits.then(|| Self(Sha256::digest(token).into()))
    }

    /// Whether a request brings it. Neither its length nor how much of it is right tells by the time it takes.
    pub(super) fn is_brought_by(&self, headers: &HeaderMap) -> bool {
        let mut brought = headers.get_all(AUTHORIZATION).iter();
        // Two headers would be read differently by whatever stands in between.
        let (Some(header), None) = (brought.next(), brought.next()) else { return false };
        let Some((scheme, token)) = header.as_bytes().split_at_checked("Bearer ".len()) else { return false };
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(Sha256::digest(token).ct_eq(&self.0))
    }
}

/// A character of a `b64token`.
const fn is_token_char(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_token_itself_opens() {
        let text = "0123456789abcdef0123456789abcdef";
        let token = Token::parse(text.as_bytes()).unwrap();
        let brought = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            }
            token.is_brought_by(&headers)
        };
        assert!(brought(&[&format!("Bearer {text}")]));
        assert!(brought(&[&format!("bearer {text}")]), "RFC 9110 section 11.1: schemes have no case");
        let right = format!("Bearer {text}");
        for wrong in [
            vec![],
            vec![""],
            vec!["Bearer"],
            vec!["Bearer "],
            vec![text],
            vec!["Basic 0123456789abcdef0123456789abcdef"],
            vec!["Bearer 0123456789abcdef0123456789abcdee"],
            vec!["Bearer 0123456789abcdef0123456789abcdef0"],
            vec!["Bearer  0123456789abcdef0123456789abcdef"],
            vec![right.as_str(), right.as_str()],
        ] {
            assert!(!brought(&wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_file_that_holds_no_token_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for text in ["", "\n", "short", &"a b".repeat(20), &"x".repeat(257), &"é".repeat(40)] {
            std::fs::write(&path, text).unwrap();
            let refused = Token::read(&path).err().unwrap().to_string();
            assert!(
                refused.contains("openssl rand") && (text.len() < 4 || !refused.contains(text)),
                "{refused}"
            );
        }
        std::fs::write(&path, format!("{}\n", "a".repeat(64))).unwrap();
        assert!(Token::read(&path).is_ok());
        assert!(matches!(Token::read(folder.path()), Err(TokenError::Io { .. })));
    }
}
