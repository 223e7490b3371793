//! The page Prometheus reads: `GET /metrics` over HTTP/1.1, one request a connection.
//!
//! A whole HTTP server for one page would be more to trust than these lines. Must not know: what the
//! metrics mean.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::metrics::DURATION_BUCKETS_SECONDS;
use crate::shutdown::Shutdown;

/// Longest request head, in bytes. Prometheus sends about 300.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Scrapers served at once; further ones wait.
const SCRAPERS_MAX: usize = 4;
/// How long one scrape may take.
const SCRAPE_WAIT: Duration = Duration::from_secs(5);
/// How often old samples of the histograms are folded.
const UPKEEP: Duration = Duration::from_secs(5);

/// A recorder with our buckets; install it with `metrics::set_global_recorder`, and read its handle.
///
/// # Errors
/// Only if the buckets were empty.
pub fn recorder() -> Result<PrometheusRecorder, BuildError> {
    Ok(PrometheusBuilder::new().set_buckets(DURATION_BUCKETS_SECONDS)?.build_recorder())
}

/// Keeps the recorder's memory bounded for ever; run it whether or not anybody scrapes.
pub async fn upkeep(handle: PrometheusHandle) {
    let mut beat = tokio::time::interval(UPKEEP);
    loop {
        beat.tick().await;
        handle.run_upkeep();
    }
}

/// The bound page.
#[derive(Debug)]
pub struct Page(TcpListener);

impl Page {
    /// Binds the address the configuration names.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// Where it really is (port 0 lets the system choose).
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Serves until the very end, so that a drain can be watched.
    pub async fn serve(self, handle: PrometheusHandle, mut shutdown: Shutdown) {
        let room = Arc::new(Semaphore::new(SCRAPERS_MAX));
        let mut scrapers = JoinSet::new();
        loop {
            let accepted = tokio::select! { biased;
                () = shutdown.now() => return,
                Some(_) = scrapers.join_next() => continue,
                accepted = self.0.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let handle = handle.clone();
            scrapers.spawn(async move {
                let _place = place;
                // A scraper that does not finish in time, or goes away, simply has no page.
                let _ = tokio::time::timeout(SCRAPE_WAIT, answer(stream, &handle)).await;
            });
        }
    }
}

async fn answer(mut stream: TcpStream, handle: &PrometheusHandle) -> io::Result<()> {
    let head = read_head(&mut stream).await?;
    let mut words = head.split(|byte| *byte == b' ');
    let (status, body) = match (words.next(), words.next()) {
        (Some(b"GET"), Some(b"/metrics")) => ("200 OK", handle.render()),
        (Some(b"GET"), Some(_)) => ("404 Not Found", "the metrics are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET /metrics is served\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Everything up to the empty line, or as much as is allowed.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(1024);
    while head.len() < HEAD_BYTES_MAX && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::super::metrics as names;
    use super::*;
    use crate::shutdown::{self, Stage};

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn prometheus_gets_its_page_and_nobody_else_anything() {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            names::describe("1.2.3", 5_000);
            names::admin_request("status", "done");
            names::record_seconds(names::PART_SECONDS, Duration::from_millis(42));
        });
        let (trigger, shutdown) = shutdown::channel();
        let page = Page::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = page.address().unwrap();
        let server = tokio::spawn(page.serve(handle, shutdown));

        let answer = ask(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        for line in [
            "hibiki_build_info{version=\"1.2.3\"} 1",
            "hibiki_start_time_seconds 5",
            "hibiki_admin_requests_total{command=\"status\",result=\"done\"} 1",
            "hibiki_part_seconds_bucket{le=\"0.025\"} 0",
            "hibiki_part_seconds_bucket{le=\"0.05\"} 1",
            "# TYPE hibiki_part_seconds histogram",
        ] {
            assert!(answer.lines().any(|found| found == line), "{line}\n{answer}");
        }
        assert!(ask(address, "GET / HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404"));
        assert!(ask(address, "POST /metrics HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 405"));
        assert!(ask(address, &"x".repeat(HEAD_BYTES_MAX)).await.starts_with("HTTP/1.1 405"));

        trigger.advance(Stage::Draining);
        assert!(ask(address, "GET /metrics HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 200"));
        trigger.advance(Stage::Now);
        server.await.unwrap();
    }
}
