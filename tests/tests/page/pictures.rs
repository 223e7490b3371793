//! The pictures of the guardian's guide: drawn by these tests, kept when `HIBIKI_SCREENS=1` says so.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use hibiki_tests::browser::Browser;

/// Draws the page as it is now: `docs/screens/NAME.png`, or a folder that goes away.
pub(crate) fn draw(browser: &Browser, name: &str) {
    let file = folder().join(format!("{name}.png"));
    browser.screenshot(&file).unwrap();
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
