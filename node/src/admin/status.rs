//! The command `status`: the board as it is.

use std::sync::Arc;

use super::router::Router;
use super::wire::AdminError;
use crate::env::Clock;
use crate::observe::board::StatusBoard;

/// Registers `status`.
pub fn register(router: &mut Router, board: StatusBoard, clock: Arc<dyn Clock>) {
    router.add("status", move |_request, _responder| {
        let status = board.snapshot(clock.now());
        async move {
            serde_json::to_value(status)
                .map_err(|error| AdminError::new(format!("the status cannot be written: {error}")))
        }
    });
}
