//! How the browser follows the desk: a stream of events (WHATWG HTML, server-sent events).
//!
//! `scene` names the scene of now; a page of another scene goes off the screen at once. `part` says that
//! something has landed. Both carry the numbers of scene and change, so that a page learns what landed between
//! its making and its first event, and no data about anybody.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt as _};

use super::App;

/// A browser that hears nothing for longer than twice this shows nothing any more.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// `GET /events`.
pub(super) async fn events(
    State(app): State<App>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let mut shown = None;
    let events = WatchStream::new(app.desk.watch()).map(move |snapshot| {
        let name = if shown == Some(snapshot.scene) { "part" } else { "scene" };
        shown = Some(snapshot.scene);
        Ok(Event::default().event(name).data(format!("{} {}", snapshot.scene, snapshot.change)))
    });
    // Browsers drop an event whose data is empty.
    Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE).event(Event::default().event("alive").data("yes")))
}
