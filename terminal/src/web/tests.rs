#![allow(clippy::unwrap_used, reason = "tests")]

//! The page over real sockets, as other programs and other pages on this machine would meet it.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::config::Config;
use crate::desk::{CardSource, Settings};

/// A page whose reader never has a card.
struct Served {
    address: SocketAddr,
    door: Arc<Door>,
}

/// What came back.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Served {
    async fn new() -> Self {
        let config = Config {
            root: "/nowhere/root".into(),
            trust_list: "/nowhere/list".into(),
            gateway: "a/b".parse().unwrap(),
            gateway_address: None,
        };
        let source = CardSource::File("/nowhere/card".into());
        let desk = Desk::open(Settings { config, source, idle: Duration::from_secs(60), receipts: None });
        let page = Page::bind(0, desk, true).await.unwrap();
        let (address, door) = (page.address(), page.door());
        tokio::spawn(page.serve());
        Self { address, door }
    }

    async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut request = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Opens a link; the cookie.
    async fn enter(&self) -> String {
        let link = self.door.link().unwrap();
        let path = link.strip_prefix(&format!("http://{}", self.address)).unwrap();
        let entered = self.ask(&format!("GET {path}"), &[], "").await;
        assert_eq!((entered.status, entered.header("location")), (303, Some("/")));
        let cookie = entered.header("set-cookie").unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        assert_eq!(self.ask(&format!("GET {path}"), &[], "").await.status, 403, "a link opens once");
        cookie.split(';').next().unwrap().to_owned()
    }

    async fn write(&self, path: &str, cookie: &str, body: &str) -> u16 {
        let origin = format!("http://{}", self.address);
        let headers =
            [("Cookie", cookie), ("Origin", &origin), ("Content-Type", "application/x-www-form-urlencoded")];
        self.ask(&format!("POST {path}"), &headers, body).await.status
    }
}

#[tokio::test]
async fn nobody_else_on_this_machine_gets_in() {
    let served = Served::new().await;
    for path in ["/", "/events", "/person/1", "/person/1/ask"] {
        let answer = served.ask(&format!("GET {path}"), &[], "").await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.body.contains("リンク"), "it says what to do");
    }
    assert_eq!(served.ask("GET /open/0000", &[], "").await.status, 403);
    let cookie = served.enter().await;
    let inside = served.ask("GET /", &[("Cookie", &cookie)], "").await;
    assert_eq!(inside.status, 200);
    assert!(inside.body.contains("カードをかざしてください"));
    for host in ["evil.example", "localhost", "127.0.0.1"] {
        let rebound = served.ask("GET /", &[("Cookie", &cookie), ("Host", host)], "").await;
        assert_eq!(rebound.status, 403, "{host}");
        assert!(!rebound.body.contains("カード"), "{host}");
    }
    let foreign = [("Cookie", cookie.as_str()), ("Sec-Fetch-Site", "cross-site")];
    assert_eq!(served.ask("GET /", &foreign, "").await.status, 403);
    // Another browser takes the desk over: this one is out.
    served.enter().await;
    assert_eq!(served.ask("GET /", &[("Cookie", &cookie)], "").await.status, 403);
}

#[tokio::test]
async fn every_answer_says_what_the_browser_may_do_with_it() {
    let served = Served::new().await;
    let cookie = served.enter().await;
    for path in ["/", "/assets/page.js", "/assets/page.css", "/nowhere", "/open/x"] {
        let answer = served.ask(&format!("GET {path}"), &[("Cookie", &cookie)], "").await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(!answer.body.contains("<script>") && !answer.body.contains("style="), "{path}");
    }
}

#[tokio::test]
async fn a_write_needs_origin_cookie_and_token() {
    let served = Served::new().await;
    let cookie = served.enter().await;
    let token = format!("token={}", served.door.token());
    for path in ["/leave", "/again", "/stirred", "/person/1/ask"] {
        assert!([204, 303].contains(&served.write(path, &cookie, &token).await), "{path}");
        assert_eq!(served.write(path, &cookie, "").await, 403, "{path}: no token");
        assert_eq!(served.write(path, &cookie, "token=0000").await, 403, "{path}: another token");
        assert_eq!(served.write(path, "hibiki-1=2", &token).await, 403, "{path}: no cookie");
        let foreign = [("Cookie", cookie.as_str()), ("Origin", "http://evil.example")];
        assert_eq!(served.ask(&format!("POST {path}"), &foreign, &token).await.status, 403, "{path}");
    }
    let pin = format!("pin=1234&{token}");
    assert_eq!(served.write("/pin", &cookie, &pin).await, 303);
    assert_eq!(served.write("/pin", &cookie, &token).await, 400, "no PIN");
    let huge = format!("{pin}&more={}", "x".repeat(FORM_BYTES_MAX));
    assert!([400, 413].contains(&served.write("/pin", &cookie, &huge).await));
    for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"] {
        let body = format!("lang=en&back={elsewhere}&{token}");
        let origin = format!("http://{}", served.address);
        let headers = [
            ("Cookie", cookie.as_str()),
            ("Origin", &origin),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let answer = served.ask("POST /language", &headers, &body).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{elsewhere}");
    }
    for (back, leads) in [
        ("/person/1/access", "/person/1/access"),
        ("", "/person/1"),
        ("//evil.example", "/person/1"),
        ("https://evil.example/person/1/access", "/person/1"),
    ] {
        let body = format!("back={back}&{token}");
        let origin = format!("http://{}", served.address);
        let headers = [
            ("Cookie", cookie.as_str()),
            ("Origin", &origin),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let answer = served.ask("POST /person/1/ask", &headers, &body).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(leads)), "{back}");
    }
    let shown = served.ask("GET /", &[("Cookie", &cookie)], "").await;
    assert!(shown.body.contains("<html lang=\"en\">"));
}
