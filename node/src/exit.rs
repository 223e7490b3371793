//! How the process ends, as a number.
//!
//! The command line keeps to three: 0, 1, 2. The daemon (`run`) follows sysexits(3), so that a service
//! manager can tell a typing error in the configuration (do not restart) from a passing trouble (restart).
//! Must not know: what went wrong in words; that was printed or logged already.

use std::process::{ExitCode, Termination};

/// An exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done.
    Done = 0,
    /// Failed or refused; stderr says why.
    Failed = 1,
    /// The command line itself is wrong (clap uses the same number).
    Usage = 2,
    /// `EX_DATAERR`: what is on the disk is not what was signed or acknowledged, such as an older copy of the
    /// ledger; starting again changes nothing.
    Data = 65,
    /// `EX_SOFTWARE`: the daemon met a fault of its own.
    Software = 70,
    /// `EX_OSERR`: the system refused something a daemon needs, such as an address to listen on.
    System = 71,
    /// `EX_TEMPFAIL`: it may work later, such as when another node still holds the folder.
    TryAgain = 75,
    /// `EX_NOPERM`: the account may not read or write what the configuration names.
    NotPermitted = 77,
    /// `EX_CONFIG`: the configuration is wrong; starting again changes nothing.
    Config = 78,
}

impl Termination for ExitStatus {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

impl From<&std::io::Error> for ExitStatus {
    fn from(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => Self::NotPermitted,
            std::io::ErrorKind::AddrInUse | std::io::ErrorKind::WouldBlock => Self::TryAgain,
            _ => Self::System,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn system_errors_tell_whether_to_try_again() {
        for (kind, expected) in [
            (ErrorKind::PermissionDenied, ExitStatus::NotPermitted),
            (ErrorKind::AddrInUse, ExitStatus::TryAgain),
            (ErrorKind::NotFound, ExitStatus::System),
        ] {
            assert_eq!(ExitStatus::from(&Error::from(kind)), expected);
        }
    }
}
