//! One process at a time: the lock on a file that says who has a folder open.
//!
//! A lock may outlive its holder for a moment. A child that is just being started, by any thread, has a copy of
//! every open file until it has become its own program, and a node that was killed is not gone before the
//! system has taken it apart. So a lock that is held is asked for again a few times before it counts as held.

use std::fs::{File, TryLockError};
use std::thread;
use std::time::Duration;

const TRIES: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);

/// Locks `file` for this process, waiting half a second at most for one that is just going.
///
/// # Errors
/// As [`File::try_lock`].
pub(crate) fn lock(file: &File) -> Result<(), TryLockError> {
    let mut tries = 1;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if tries < TRIES => {
                tries += 1;
                #[expect(clippy::disallowed_methods, reason = "at start-up, before anything is served")]
                thread::sleep(PAUSE);
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_lock_that_is_let_go_in_time_is_taken_and_one_that_is_not_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let open = || File::options().create(true).append(true).open(dir.path().join("lock")).unwrap();
        let (first, second) = (open(), open());
        lock(&first).unwrap();
        assert!(matches!(lock(&second), Err(TryLockError::WouldBlock)));
        let going = thread::spawn(move || {
            #[expect(clippy::disallowed_methods, reason = "a holder that takes its time")]
            thread::sleep(4 * PAUSE);
            drop(first);
        });
        lock(&second).unwrap();
        going.join().unwrap();
    }
}
