//! A live ledger read by a client that knows nothing but C2SP, and by readers who mean no good.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::cbor;
use hibiki_protocol::tlog::{
    Checkpoint, FULL_TILE, Hash, Leaf, Tile, TileReader, decode_bundle, inclusion_proof, leaf_hash, tiles_of,
    verify_inclusion,
};
use hibiki_protocol::trust::SignedTrustList;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::institution::Means;
use crate::institution::town::Town;
use crate::ledger::{Entry, details};
use crate::shutdown::{self, ShutdownTrigger};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct Live {
    address: SocketAddr,
    trigger: ShutdownTrigger,
    life: tokio::task::JoinHandle<()>,
}

async fn live(means: &Means, token: bool, door: Option<Door>) -> Live {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, TOKEN).unwrap();
    let token = token.then(|| Arc::new(Token::read(&file).unwrap()));
    let Means { ledger, trust, env, .. } = means.clone();
    let source = Source { ledger, trust, env, token };
    let door = match door {
        Some(door) => door,
        None => Door::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap(),
    };
    let publication = Publication { source, door };
    let address = publication.address().unwrap();
    let (trigger, shutdown) = shutdown::channel();
    Live { address, trigger, life: tokio::spawn(publication.serve(shutdown)) }
}

/// Everything a connection brings back after these bytes.
async fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.ok();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).await.ok();
    back
}

/// Head and body of an answer.
async fn ask(address: SocketAddr, line: &str, headers: &str) -> (String, Vec<u8>) {
    let back = raw(address, format!("{line} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes()).await;
    let at = back.windows(4).position(|end| end == b"\r\n\r\n").expect("an answer has a head");
    (String::from_utf8(back[..at].to_vec()).unwrap().to_ascii_lowercase(), back[at + 4..].to_vec())
}

async fn get(address: SocketAddr, path: &str) -> Vec<u8> {
    let (head, body) = ask(address, &format!("GET {path}"), "").await;
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{path}: {head}");
    body
}

async fn enter(means: &Means, count: usize) {
    for _ in 0..count {
        let entry = details::Staff { by: "佐藤 花子".to_owned(), action: "record shown".to_owned() };
        means.ledger.append(Entry::new(means.env.now(), None, &entry).unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_of_tiles_verifies_everything_and_learns_no_name() {
    let town = Town::new(Vec::new());
    let means = town.means("clinic");
    let live = live(&means, false, None).await;
    assert!(
        ask(live.address, "GET /checkpoint", "").await.0.starts_with("http/1.1 503"),
        "nothing is signed yet"
    );

    enter(&means, 300).await;
    let first = means.ledger.checkpoint().await.unwrap();
    // What is not signed yet is not published.
    enter(&means, 3).await;
    let note = get(live.address, "/checkpoint").await;
    assert_eq!(note, first.as_bytes());
    let (checkpoint, _) = Checkpoint::open(&note, means.ledger.verifier_key(), &[]).unwrap();
    let (size, mut hashes, mut leaves) = (checkpoint.size, Vec::new(), Vec::new());
    let mut read = std::collections::BTreeMap::new();
    for tile in tiles_of(size) {
        read.insert(tile.path(), get(live.address, &format!("/{}", tile.path())).await);
        if tile.level() == 0 {
            let bundle = get(live.address, &format!("/{}", tile.entries_path())).await;
            for leaf in decode_bundle(&bundle, tile.width()).unwrap() {
                hashes.push(leaf_hash(leaf));
                leaves.push(leaf.to_vec());
            }
            assert!(!String::from_utf8_lossy(&bundle).contains("佐藤"), "leaves name nobody");
        }
    }
    assert_eq!(hashes.len() as u64, size);
    let mut tiles = TileReader::new(size, |tile: Tile| Ok::<_, io::Error>(read[&tile.path()].clone()));
    for (index, hash) in (0..).zip(&hashes) {
        let path = inclusion_proof(&mut tiles, index, size).unwrap();
        verify_inclusion(index, size, hash, &path, &checkpoint.root).unwrap();
    }
    assert!(leaves.iter().all(|leaf| Leaf::decode(leaf).is_ok()));
    let list: SignedTrustList = cbor::decode(&get(live.address, "/trust-list").await).unwrap();
    assert_eq!(list.digest(), town.trust().digest());

    let (head, _) = ask(live.address, "GET /tile/0/000", "").await;
    assert!(head.contains("immutable") && head.contains("application/octet-stream"), "{head}");
    assert!(head.contains("nosniff") && head.contains("connection: close"), "{head}");
    let (head, _) = ask(live.address, "GET /checkpoint", "").await;
    assert!(head.contains("no-cache") && head.contains("text/plain; charset=utf-8"), "{head}");
    for missing in ["/cosigned", "/tile/0/001.p/47", "/tile/entries/001.p/47", "/tile/0/002", "/tile/1/000"] {
        assert!(
            ask(live.address, &format!("GET {missing}"), "").await.0.starts_with("http/1.1 404"),
            "{missing}"
        );
    }

    // The partial tile of an old head is still to be had when the full one has taken its place.
    let (old, old_leaves) =
        (read["tile/0/001.p/45"].clone(), get(live.address, "/tile/entries/001.p/45").await);
    enter(&means, 2 * FULL_TILE).await;
    means.ledger.checkpoint().await.unwrap();
    assert_eq!(get(live.address, "/tile/0/001.p/45").await, old);
    assert_eq!(get(live.address, "/tile/entries/001.p/45").await, old_leaves);
    assert_eq!(old.len(), 45 * Hash::LEN);
    live.trigger.ask();
    live.life.await.unwrap();
    assert!(TcpStream::connect(live.address).await.is_err(), "a node that stops publishes nothing");
}

#[tokio::test]
async fn who_has_no_token_learns_nothing_not_even_what_there_is() {
    let town = Town::new(Vec::new());
    let means = town.means("clinic");
    means.ledger.checkpoint().await.unwrap();
    let live = live(&means, true, None).await;
    for path in ["/checkpoint", "/nothing", "/tile/../journal"] {
        for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic eDp5\r\n"] {
            let (head, body) = ask(live.address, &format!("GET {path}"), headers).await;
            assert!(head.starts_with("http/1.1 401") && head.contains("www-authenticate: bearer"), "{head}");
            assert!(!body.windows(8).any(|part| part == b"maebashi"));
        }
    }
    assert!(ask(live.address, "POST /checkpoint", "").await.0.starts_with("http/1.1 401"));
    let right = format!("Authorization: Bearer {TOKEN}\r\n");
    assert!(ask(live.address, "GET /checkpoint", &right).await.0.starts_with("http/1.1 200"));
    assert!(ask(live.address, "GET /nothing", &right).await.0.starts_with("http/1.1 404"));
    let (head, _) = ask(live.address, "DELETE /checkpoint", &right).await;
    assert!(head.starts_with("http/1.1 405") && head.contains("allow: get"), "{head}");
}

#[tokio::test]
async fn hostile_requests_read_no_file_and_end() {
    let town = Town::new(Vec::new());
    let means = town.means("clinic");
    enter(&means, 5).await;
    means.ledger.checkpoint().await.unwrap();
    let live = live(&means, false, None).await;
    for target in [
        "/tile/../journal/00000001",
        "/tile/entries/../../journal/00000001",
        "/..%2fjournal%2f00000001",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/journal/00000001",
        "/checkpoints",
        "/lock",
        "//etc/passwd",
        "/checkpoint?x=1",
        "/checkpoint/",
        "/tile/0/000.p/5/../../../checkpoint",
        "http://x/journal/00000001",
        "*",
    ] {
        let (head, body) = ask(live.address, &format!("GET {target}"), "").await;
        assert!(head.starts_with("http/1.1 404") || head.starts_with("http/1.1 400"), "{target}: {head}");
        assert!(!body.windows(6).any(|part| part == b"hibiki" || part == b"root:x"), "{target}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "BREW"] {
        let (head, _) = ask(live.address, &format!("{method} /checkpoint"), "").await;
        assert!(head.starts_with("http/1.1 405"), "{method}: {head}");
    }
    // What is no HTTP, and what never ends, is answered or dropped, and the next reader is served.
    let huge = [b"GET /checkpoint HTTP/1.1\r\nX: ".as_slice(), &vec![b'a'; 1 << 20]].concat();
    let many = [b"GET /checkpoint HTTP/1.1\r\n".as_slice(), &b"a: b\r\n".repeat(1000), b"\r\n"].concat();
    for bytes in [b"\0\0\0\0\r\n\r\n".as_slice(), b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", &huge, &many] {
        let back = raw(live.address, bytes).await;
        assert!(back.is_empty() || back.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&back));
    }
    // A second request on the same connection is not waited for.
    let twice = b"GET /checkpoint HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2);
    let back = raw(live.address, &twice).await;
    assert_eq!(back.windows(9).filter(|part| part == b"HTTP/1.1 ").count(), 1);
    assert!(!get(live.address, "/checkpoint").await.is_empty());
}

#[tokio::test]
async fn whoever_says_nothing_keeps_nobody_out() {
    let town = Town::new(Vec::new());
    let means = town.means("clinic");
    means.ledger.checkpoint().await.unwrap();
    let door = Door::narrow(2, Duration::from_millis(300)).await.unwrap();
    let live = live(&means, false, Some(door)).await;
    let mut idle = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(live.address).await.unwrap();
        stream.write_all(b"GET /checkpoint HTTP/1.1\r\n").await.unwrap();
        idle.push(stream);
    }
    // Two fill the room, two more wait outside; their time passes, and the reader is served.
    let served = tokio::time::timeout(Duration::from_secs(10), get(live.address, "/checkpoint")).await;
    assert!(!served.expect("served").is_empty());
    drop(idle);
}
