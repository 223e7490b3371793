//! The pictures of the guardian's guide: drawn by these tests, kept when `HIBIKI_SCREENS=1` says so.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hibiki_tests::browser::{Browser, Screen};

/// A small phone; fine enough to be read, coarse enough to be kept.
pub(crate) const PHONE: Screen = Screen { density: 1.5, ..Screen::PHONE };
/// CSS pixels that a picture shows of a longer page.
const HEIGHT: u32 = 1050;

/// Draws the page as it is now: `docs/screens/NAME.png`, or a folder that goes away.
pub(crate) fn draw(browser: &Browser, name: &str) {
    draw_top(browser, name, HEIGHT);
}

/// The same on a phone, whose screen it fills: `NAME-phone.png`.
pub(crate) fn draw_phone(browser: &Browser, name: &str) {
    browser.resize(PHONE).unwrap();
    draw_top(browser, &format!("{name}-phone"), PHONE.height);
}

fn draw_top(browser: &Browser, name: &str, height: u32) {
    let file = folder().join(format!("{name}.png"));
    browser.screenshot_of_top(&file, height).unwrap();
    let drawn = std::fs::metadata(&file).unwrap().len();
    assert!(drawn > 2_000, "{name}: {drawn} bytes are no picture of a page");
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, Option<tempfile::TempDir>)> = OnceLock::new();
    let (folder, _) = FOLDER.get_or_init(|| {
        if std::env::var_os("HIBIKI_SCREENS").is_some_and(|wanted| wanted == "1") {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screens");
            std::fs::create_dir_all(&folder).unwrap();
            return (folder, None);
        }
        let folder = tempfile::tempdir().unwrap();
        (folder.path().to_owned(), Some(folder))
    });
    folder
}
