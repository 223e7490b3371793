//! TCP ports for a virtual reader: two in a row, and who listens on them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::chance::Chance;
use crate::clock;

/// Where ports are looked for: below Linux's range for outgoing connections, which begins at 32768.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// State LISTEN in /proc/net/tcp.
const LISTENING: &str = "0A";

/// A port that is free, and the next one, too. Somebody else may take them before the reader does.
pub(super) fn free_pair() -> Option<u16> {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    // Every process and every call begins to look somewhere else.
    let seed = clock::now().0 ^ u64::from(std::process::id()) << 32 ^ ASKED.fetch_add(1, Ordering::Relaxed);
    let mut chance = Chance::new(seed);
    let places = u64::from(PORTS.end - PORTS.start) / 2;
    let mut drawn = std::iter::repeat_with(|| {
        let place = u16::try_from(chance.below(places)).unwrap_or_default();
        PORTS.start + 2 * place
    });
    drawn.by_ref().take(200).find(|port| free(*port) && free(port + 1))
}

fn free(port: u16) -> bool {
    TcpListener::bind(("0.0.0.0", port)).is_ok()
}

/// Whether the process with this id listens on the port. Trying to connect would insert a card.
pub(super) fn listens(process: u32, port: u16) -> bool {
    let Ok(table) = std::fs::read_to_string("/proc/net/tcp") else { return false };
    let local = format!(":{port:04X}");
    let sockets: Vec<PathBuf> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| {
            let field = |at: usize| fields.get(at).copied().unwrap_or_default();
            field(1).ends_with(&local) && field(3) == LISTENING
        })
        .filter_map(|fields| Some(PathBuf::from(format!("socket:[{}]", fields.get(9)?))))
        .collect();
    let open = std::fs::read_dir(Path::new("/proc").join(process.to_string()).join("fd"));
    open.is_ok_and(|files| {
        files
            .flatten()
            .filter_map(|file| std::fs::read_link(file.path()).ok())
            .any(|to| sockets.contains(&to))
    })
}
