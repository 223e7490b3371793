//! The command `school gate touch`: a reader at the gate, or staff for a child without her card.

use std::sync::Arc;

use hibiki_records::date::{CalendarDate, FhirTime};
use hibiki_records::gate::{Direction, Touch};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Gates, Taken};
use crate::admin::{AdminError, Request, Router};
use crate::csv_table::{TableFault, decode, split};

/// Name of the command that notes a touch.
pub const TOUCH: &str = "school gate touch";
/// Name of the command that takes a gate's touches of a while without connection.
pub const IMPORT: &str = "school gate import";

/// Bytes of a file, at most.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Arguments of `school gate touch`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct One {
    /// The pupil's number.
    pub pupil: String,
    /// `in` or `out`.
    pub direction: Direction,
    /// When, RFC 3339; absent: now.
    pub at: Option<String>,
}

/// Registers the commands.
pub fn register(router: &mut Router, gates: &Arc<Gates>) {
    let it = Arc::clone(gates);
    router.add(TOUCH, move |request, _| touch(Arc::clone(&it), request));
    let it = Arc::clone(gates);
    router.add(IMPORT, move |request, _| import(Arc::clone(&it), request));
}

async fn touch(gates: Arc<Gates>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let One { pupil, direction, at } = request.parse()?;
    let touch = match at {
        Some(text) => read(&text, direction).ok_or_else(no_time)?,
        None => now(gates.means.now().0, direction).ok_or_else(no_time)?,
    };
    crate::school::log(&gates.means, TOUCH, &staff, None)
        .await
        .map_err(crate::school::notices::SendError::from)?;
    match gates.take(&pupil, touch).await? {
        Taken::Noted => Ok(json!({ "noted": true })),
        Taken::Known => Ok(json!({ "noted": false })),
        Taken::OutOfTime => {
            Err(AdminError::new("this time is of the future, or more than a week ago / 時刻が合いません")
                .at("argument at")
                .next("check the clock of the gate"))
        }
    }
}

async fn import(gates: Arc<Gates>, mut request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let bytes =
        request.body.collect(FILE_BYTES_MAX).await.map_err(|error| {
            AdminError::new(error.to_string()).at("the file").next("bring one day at a time")
        })?;
    let fault = |fault: TableFault| AdminError::new(fault.to_string()).at("the file");
    let text = decode(&bytes).map_err(fault)?;
    let lines = split(&text).map_err(fault)?;
    crate::school::log(&gates.means, IMPORT, &staff, None)
        .await
        .map_err(crate::school::notices::SendError::from)?;
    let (mut noted, mut known, mut faults) = (0, 0, Vec::new());
    for (line, fields) in lines {
        let field = |place: usize| fields.get(place).map_or("", |field| field.trim());
        let direction = match field(1) {
            "in" | "登校" => Some(Direction::In),
            "out" | "下校" => Some(Direction::Out),
            _ => None,
        };
        let touch = direction.and_then(|direction| read(field(2), direction));
        let Some(touch) = touch else {
            // The heading is no touch, and no fault.
            if line > 1 {
                faults.push(json!({ "line": line, "what": "write: number, in or out, time (RFC 3339) / 番号,in か out,時刻" }));
            }
            continue;
        };
        match gates.take(field(0), touch).await {
            Ok(Taken::Noted) => noted += 1,
            Ok(Taken::Known) => known += 1,
            Ok(Taken::OutOfTime) => {
                faults.push(json!({ "line": line, "what": "the time is out of range / 時刻が合いません" }));
            }
            Err(error) => faults.push(json!({ "line": line, "what": error.to_string() })),
        }
    }
    Ok(json!({ "noted": noted, "known": known, "faults": faults }))
}

fn read(text: &str, direction: Direction) -> Option<Touch> {
    let time = FhirTime::parse(text.trim()).ok()?;
    Some(Touch { day: time.day, minute: time.minute?, direction })
}

fn now(unix_ms: u64, direction: Direction) -> Option<Touch> {
    let minutes = unix_ms / 60_000 + 9 * 60;
    let minute = u16::try_from(minutes % (24 * 60)).ok()?;
    Some(Touch { day: CalendarDate::in_japan(unix_ms)?, minute, direction })
}

fn no_time() -> AdminError {
    AdminError::new("not a time / 時刻が読めません").at("argument at").next("write 2026-11-26T07:52:00+09:00")
}
