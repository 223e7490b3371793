//! The page over real sockets, with the real accounts and a router that says what it was asked.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use super::*;
use crate::institution::town::Town;
use crate::shutdown;
use crate::staff::Role;

const PASSWORD: &str = "きゅうしょくはたのしいな";

struct Site {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, Value, String)>>>,
    town: Town,
    _stop: shutdown::ShutdownTrigger,
}

async fn site() -> Site {
    let town = Town::new(Vec::new());
    let means = town.means("school");
    let accounts = Arc::new(Accounts::new(means.clone()));
    for (name, role) in [("tanaka", Role::Nutritionist), ("suzuki", Role::Teacher), ("sato", Role::Office)] {
        accounts.add(name, name, &[role], Zeroizing::new(PASSWORD.to_owned()), "root").await.unwrap();
    }
    let asked = Arc::new(Mutex::new(Vec::new()));
    let mut router = Router::new();
    let evil = "<script>x</script>\"'&";
    for command in [
        "school menu list",
        "school menu accept",
        "school menu import",
        "school notice list",
        "school notice send",
        "school pupil import",
    ] {
        let asked = Arc::clone(&asked);
        router.add(command, move |mut request, responder| {
            let asked = Arc::clone(&asked);
            async move {
                let body = request.body.collect(1 << 20).await.map(|bytes| bytes.len()).unwrap_or_default();
                let mut arguments = request.arguments.clone();
                arguments["body"] = json!(body);
                asked.lock().unwrap().push((command.to_owned(), arguments, request.staff()?.to_owned()));
                responder.warning(evil, Some("line 2".to_owned())).await;
                Ok(json!({ "menus": [{ "date": evil, "kitchen": evil, "dishes": [evil], "unknown": [evil] }],
                    "notices": [{ "title": evil }], "id": evil }))
            }
        });
    }
    let (stop, listening) = shutdown::channel();
    let any = "127.0.0.1:0".parse().unwrap();
    let (page, listener) = Page::bind(any, accounts, router, means, format!("学校{evil}")).await.unwrap();
    let address = page.address();
    tokio::spawn(page.serve(listener, listening));
    Site { address, asked, town, _stop: stop }
}

impl Site {
    async fn raw(&self, head: &str, body: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let head = format!("{head}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(body).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn get(&self, path: &str, cookie: &str) -> String {
        self.raw(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n", self.address), b"").await
    }

    async fn log_in(&self, name: &str, password: &str) -> String {
        let body: String = format!("name={name}&password={}", form(password));
        let head = format!(
            "POST /login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
            self.address
        );
        self.raw(&head, body.as_bytes()).await
    }

    /// The cookie of somebody who is logged in.
    async fn seated(&self, name: &str) -> String {
        let answer = self.log_in(name, PASSWORD).await;
        let line = answer.lines().find(|line| line.to_lowercase().starts_with("set-cookie:")).unwrap();
        assert!(line.contains("HttpOnly") && line.contains("SameSite=Strict"), "{line}");
        line.split_once(':').unwrap().1.split(';').next().unwrap().trim().to_owned()
    }

    async fn csrf(&self, cookie: &str) -> String {
        let page = self.get("/", cookie).await;
        page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    async fn give(&self, screen: &str, cookie: &str, fields: &[(&str, &str)], file: Option<&str>) -> String {
        let mut body = String::new();
        for (name, value) in fields {
            body.push_str(&format!(
                "--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        if let Some(file) = file {
            body.push_str(&format!(
                "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{file}\r\n"
            ));
        }
        body.push_str("--B--\r\n");
        let head = format!(
            "POST /{screen} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nContent-Type: multipart/form-data; boundary=B\r\n",
            self.address
        );
        self.raw(&head, body.as_bytes()).await
    }
}

fn form(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn only_whoever_has_an_account_comes_in_and_by_this_name_only() {
    let site = site().await;
    assert!(site.get("/menus", "").await.contains("location: /login"));
    assert!(site.get("/menus", "hibiki-staff=0000").await.contains("location: /login"));
    for (name, password) in [("tanaka", "wrong"), ("nobody", PASSWORD)] {
        let answer = site.log_in(name, password).await;
        assert!(
            answer.starts_with("HTTP/1.1 403") && answer.contains("名前か合言葉がちがいます"),
            "{answer}"
        );
    }
    let elsewhere = site.raw("GET /login HTTP/1.1\r\nHost: evil.example\r\n", b"").await;
    assert!(elsewhere.starts_with("HTTP/1.1 403"), "{elsewhere}");
    let cookie = site.seated("tanaka").await;
    let page = site.get("/menus", &cookie).await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("content-security-policy: default-src 'none'"));
    assert!(page.contains("cache-control: no-store"));
    site.town.clock.advance(31 * 60 * 1000);
    assert!(site.get("/menus", &cookie).await.contains("location: /login"), "half an hour without a word");
}

#[tokio::test]
async fn what_commands_answer_is_shown_as_words() {
    let site = site().await;
    let cookie = site.seated("tanaka").await;
    let page = site.get("/menus", &cookie).await;
    assert!(!page.contains("<script>x") && page.contains("&#60;script&#62;"), "{page}");
}

#[tokio::test]
async fn commands_are_given_in_the_accounts_name_with_its_roles_and_with_the_forms_word() {
    let site = site().await;
    let cookie = site.seated("tanaka").await;
    let csrf = site.csrf(&cookie).await;
    site.asked.lock().unwrap().clear();
    let fields = [
        ("csrf", csrf.as_str()),
        ("form", "accept"),
        ("from", "2026-12-01"),
        ("with_unknown", "on"),
        ("staff", "root"),
    ];
    let page = site.give("menus", &cookie, &fields, None).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let first = site.asked.lock().unwrap()[0].clone();
    assert_eq!(
        first,
        (
            "school menu accept".to_owned(),
            json!({"from": "2026-12-01", "with_unknown": true, "body": 0}),
            "tanaka".to_owned()
        )
    );
    site.asked.lock().unwrap().clear();
    let wrong = [("csrf", "another"), ("form", "accept"), ("from", "2026-12-01")];
    assert!(site.give("menus", &cookie, &wrong, None).await.starts_with("HTTP/1.1 403"));
    let uploaded = [("csrf", csrf.as_str()), ("form", "import")];
    let page = site.give("menus", &cookie, &uploaded, Some("日付,献立")).await;
    assert!(page.contains("line 2:"), "warnings are shown: {page}");
    assert_eq!(site.asked.lock().unwrap()[0].1["body"], json!("日付,献立".len()));
    // Another role's page, and another role's form.
    assert!(site.get("/notices", &cookie).await.starts_with("HTTP/1.1 403"));
    site.asked.lock().unwrap().clear();
    let foreign = [("csrf", csrf.as_str()), ("form", "import")];
    let page = site.give("classes", &cookie, &foreign, Some("x")).await;
    assert!(page.contains("役割ではできません"), "{page}");
    assert!(site.asked.lock().unwrap().iter().all(|(command, ..)| command != "school pupil import"));
}

#[tokio::test]
async fn logging_out_ends_it() {
    let site = site().await;
    let cookie = site.seated("suzuki").await;
    let csrf = site.csrf(&cookie).await;
    let head = format!(
        "POST /logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
        site.address
    );
    site.raw(&head, format!("csrf={csrf}").as_bytes()).await;
    assert!(site.get("/notices", &cookie).await.contains("location: /login"));
}
