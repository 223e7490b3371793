//! Style, script and picture: compiled into the program, fetched from nowhere.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::App;

const STYLE: &str = include_str!("../../assets/page.css");
const SCRIPT: &str = include_str!("../../assets/page.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// They say nothing about anybody: they need no cookie.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/assets/page.css", get(|| served("text/css; charset=utf-8", STYLE)))
        .route("/assets/page.js", get(|| served("text/javascript; charset=utf-8", SCRIPT)))
        .route("/assets/icon.svg", get(|| served("image/svg+xml", ICON)))
        .route("/favicon.ico", get(|| served("image/svg+xml", ICON)))
}

async fn served(media_type: &'static str, content: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, media_type)], content)
}
