//! The guardian's page, served on the loopback address to the one browser that opened its one-time link.
//!
//! ```text
//! request ─► guard (host, origin, cookie, token) ─► page ─► desk's snapshot ─► template
//!                                                └► order ─► desk
//! ```
//! Every page is made anew from the [desk](crate::desk)'s present [`Snapshot`](crate::desk::Snapshot); nothing
//! is kept here. The browser follows the desk by a stream of events and shows nothing of a session that has ended.

mod asset;
mod door;
mod events;
mod guard;
mod lang;
mod order;
mod page;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use tokio::net::TcpListener;

pub use door::Door;
pub use lang::Lang;

use crate::desk::Desk;
use crate::trouble::Trouble;

/// Largest body of a form: a PIN, a choice, a token.
const FORM_BYTES_MAX: usize = 4096;

/// What every request needs.
#[derive(Clone, Debug)]
struct App {
    desk: Desk,
    door: Arc<Door>,
    lang: lang::Shown,
    /// Whether files may be saved: not on a machine that the next person sits at.
    downloads: bool,
}

/// The page, bound to its address and not yet open.
#[derive(Debug)]
pub struct Page {
    listener: TcpListener,
    address: SocketAddr,
    app: App,
}

impl Page {
    /// Binds the loopback address, at `port` or at any that is free (0). `downloads`: whether the page offers files
    /// to be saved on this machine.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn bind(port: u16, desk: Desk, downloads: bool) -> Result<Self, Trouble> {
        let fail = |error: std::io::Error| Trouble::Machine(format!("127.0.0.1:{port}: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let door = Arc::new(Door::new(address)?);
        let app = App { desk, door, lang: lang::Shown::default(), downloads };
        Ok(Self { listener, address, app })
    }

    /// Where it is served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The door, which makes one-time links.
    pub fn door(&self) -> Arc<Door> {
        Arc::clone(&self.app.door)
    }

    /// Serves until the listener fails.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn serve(self) -> Result<(), Trouble> {
        let served = axum::serve(self.listener, router(self.app)).await;
        served.map_err(|error| Trouble::Machine(error.to_string()))
    }
}

fn router(app: App) -> Router {
    let inside = Router::new()
        .route("/events", get(events::events))
        .route("/pin", post(order::pin))
        .route("/leave", post(order::leave))
        .route("/again", post(order::again))
        .route("/stirred", post(order::stirred))
        .route("/language", post(order::language))
        .route("/person/{person}/ask", post(order::ask))
        .merge(page::routes())
        .layer(middleware::from_fn_with_state(app.clone(), guard::inside));
    Router::new()
        .merge(inside)
        .merge(asset::routes())
        .route("/open/{token}", get(door::open))
        .fallback(guard::nowhere)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn_with_state(app.clone(), guard::everywhere))
        .with_state(app)
}
