//! A tiny site on loopback whose faults are planted.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hibiki_tests::clock;

const STRICT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' http://allowed.example; form-action 'self'";

const FRONT: &str = r##"<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>試しのページ</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/front.css"><script src="/front.js" defer></script></head><body><main>
<h1 id="greeting">こんにちは</h1><p class="hidden">見えない文</p><p class="paper">紙だけ</p>
<p><a id="link" href="/sent">次へ</a></p>
<p><button id="count" type="button">数える</button> <output id="counted"></output></p>
<p><button id="named-by-label" type="button" aria-label="閉じる">×</button></p>
<form action="/sent"><label>入力 <input id="field" name="field"></label></form>
<p><button id="vanish" type="button">消える</button></p>
<fieldset><legend>選ぶ</legend><label><input type="radio" name="choice" id="choice-a">あ</label>
<label><input type="radio" name="choice" id="choice-b">い</label></fieldset>
<div class="wide">400</div><div class="long">おわり</div></main></body></html>"##;

const FRONT_CSS: &str =
    "body{margin:0}.hidden{display:none}.paper{display:none}.wide{width:400px}.long{height:3000px}
#vanish:focus{outline:none}@media print{#link{display:none}.paper{display:block}}";

const FRONT_JS: &str = "let count = 0;
document.querySelector('#count').addEventListener('click', event => {
    count += 1;
    document.querySelector('#counted').textContent = `${count}回目: ${event.pointerType}`;
});
document.querySelector('#vanish').addEventListener('click', event => {
    setTimeout(() => event.target.remove(), 100);
});";

const BAD: &str = r#"<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>悪い</title>
<link rel="preconnect" href="http://ahead.example"><link rel="stylesheet" href="/missing.css">
<script src="/bad.js" defer></script></head><body style="color:red"><script>1</script>
<img src="http://stranger.example/picture.png" alt=""><p id="done"></p></body></html>"#;

const BAD_JS: &str = "console.error('planted complaint');
setTimeout(() => { throw new Error('planted exception'); });
fetch('http://allowed.example/beacon').catch(() => 0).finally(() => {
    setTimeout(() => { document.querySelector('#done').textContent = '全部試した'; }, 200);
});";

const UNFAIR: &str = r#"<!doctype html><html><head><meta charset="utf-8"><title>不親切</title>
<link rel="stylesheet" href="/unfair.css"></head><body><main><h1>不親切</h1><p id="pale">薄い文字</p>
<img src="/front.css"><input name="nameless"></main></body></html>"#;

const STICKY: &str = r#"<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>赤城 結菜</title>
<script src="/sticky.js" defer></script></head><body><p id="done"></p>
<a id="save" href="/calendar.ics" download="calendar.ics">保存</a></body></html>"#;

const STICKY_JS: &str = "(async () => {
    localStorage.setItem('kept', 'kept-in-storage');
    sessionStorage.setItem('kept', 'kept-in-storage');
    await (await caches.open('kept')).put('/kept', new Response('kept-in-storage'));
    await new Promise(done => { indexedDB.open('kept').onsuccess = done; });
    document.querySelector('#done').textContent = '置いた';
})();";

#[derive(Default)]
struct Seen {
    headers: Mutex<BTreeMap<String, String>>,
    let_go: AtomicBool,
}

/// The site. Its thread ends with the process.
pub(crate) struct Site {
    port: u16,
    seen: Arc<Seen>,
}

impl Site {
    pub(crate) fn serve() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let theirs = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&theirs);
                std::thread::spawn(move || answer(stream, &seen));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A header of the last page that was asked for.
    pub(crate) fn last(&self, header: &str) -> Option<String> {
        self.seen.headers.lock().unwrap_or_else(PoisonError::into_inner).get(header).cloned()
    }

    /// Lets `/slow` send its second half.
    pub(crate) fn let_go(&self) {
        self.seen.let_go.store(true, Ordering::Relaxed);
    }
}

/// One request, one answer, and the connection is closed. Whatever fails is the browser's to notice.
fn answer(mut stream: TcpStream, seen: &Seen) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok);
    let first = lines.next()?;
    let path = first.split(' ').nth(1)?.split('?').next()?.to_owned();
    let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_ascii_lowercase(), value.to_owned()))
    });
    let headers: BTreeMap<String, String> = headers.collect();
    if !path.contains('.') {
        *seen.headers.lock().unwrap_or_else(PoisonError::into_inner) = headers;
    }
    let (kind, body) = match path.as_str() {
        "/" => ("text/html", FRONT),
        "/front.css" => ("text/css", FRONT_CSS),
        "/front.js" => ("text/javascript", FRONT_JS),
        "/sent" => ("text/html", "<!doctype html><meta charset=utf-8><title>届</title><p>届きました"),
        "/bad" => ("text/html", BAD),
        "/bad.js" => ("text/javascript", BAD_JS),
        "/unfair" => ("text/html", UNFAIR),
        "/unfair.css" => ("text/css", "#pale{color:#bbb}"),
        "/sticky" => ("text/html", STICKY),
        "/sticky.js" => ("text/javascript", STICKY_JS),
        "/calendar.ics" => ("text/calendar", "BEGIN:VCALENDAR\r\n"),
        "/favicon.ico" => ("image/png", ""),
        "/slow" => return slow(&mut stream, seen),
        _ => return write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").ok(),
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\
         Content-Security-Policy: {STRICT}\r\nSet-Cookie: session=abc; HttpOnly; SameSite=Strict; Path=/\r\n\r\n{body}",
        body.len()
    )
    .ok()
}

/// A page in two halves.
fn slow(stream: &mut TcpStream, seen: &Seen) -> Option<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n\
         <!doctype html><title>遅い</title><p>はじめ</p>{}",
        " ".repeat(2000)
    )
    .ok()?;
    clock::wait_until(Duration::from_secs(20), || seen.let_go.load(Ordering::Relaxed));
    write!(stream, "<p>おわり</p>").ok()
}
