//! Logs: one line an event, JSON for collectors or plain for eyes, without personal data.
//!
//! Every field passes an allow-list, so that a field somebody adds carelessly prints as `***` instead of a
//! name. Messages are literals by house rule. Must not know: who logs, nor where the lines go.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};

use crate::config::{Log, LogFormat};
use crate::env::Clock;

/// Fields that may appear in a log: things, places, counts and times of the machine; never of a person.
pub const FIELDS: &[&str] = &[
    "address",
    "attempt",
    "attempts",
    "bytes",
    "category",
    "checkpoint",
    "code",
    "column",
    "command",
    "count",
    "deadline_ms",
    "direction",
    "elapsed_ms",
    "engine",
    "entries",
    "epoch",
    "error",
    "expires",
    "failure",
    "fault",
    "file",
    "finding",
    "free_bytes",
    "gateway",
    "index",
    "kind",
    "line",
    "link",
    "local",
    "member",
    "members",
    "node",
    "outcome",
    "path",
    "peer",
    "phase",
    "port",
    "reason",
    "records",
    "refusal",
    "refused",
    "remote",
    "reply",
    "result",
    "retry_ms",
    "role",
    "roles",
    "signal",
    "size",
    "slots",
    "state",
    "task",
    "thread",
    "threshold",
    "trouble",
    "version",
    "why",
];

/// What stands for the value of a field that is not on the list.
const WITHHELD: &str = "***";

/// Libraries are heard from this level on, whatever the node's own level is.
const LIBRARIES: LevelFilter = LevelFilter::WARN;

/// A subscriber that writes to `writer` with times from `clock`.
pub fn subscriber<W>(log: &Log, clock: Arc<dyn Clock>, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let own = LevelFilter::from_level(log.level);
    let filter = tracing_subscriber::filter::Targets::new().with_default(LIBRARIES.min(own)).with_targets(
        ["hibiki_node", "hibiki_protocol", "hibiki_records", "hibiki_transport"].map(|ours| (ours, own)),
    );
    Registry::default().with(Lines { format: log.format, clock, writer }.with_filter(filter))
}

/// Makes panics one line of the log: where, never what (the payload may hold a record).
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        metrics::counter!(super::metrics::PANICS).increment(1);
        let thread = std::thread::current();
        let (file, line) = panic.location().map_or(("?", 0), |place| (place.file(), place.line()));
        tracing::error!(
            file,
            line,
            thread = thread.name().unwrap_or("?"),
            "panic; this is a fault of the program"
        );
    }));
}

struct Lines<W> {
    format: LogFormat,
    clock: Arc<dyn Clock>,
    writer: W,
}

/// The allowed fields of a span or an event, and its message.
#[derive(Default)]
struct Fields {
    message: String,
    fields: BTreeMap<&'static str, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl FnOnce() -> Value) {
        // Messages of `log` records carry their origin in such fields; the target says it already.
        if field.name().starts_with("log.") {
            return;
        }
        let allowed = FIELDS.contains(&field.name());
        self.fields.insert(field.name(), if allowed { value() } else { json!(WITHHELD) });
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.put(field, || json!(format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = value.to_owned();
        } else {
            self.put(field, || json!(value));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, || json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, || json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, || json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, || json!(value));
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut all = Fields::default();
        // Outer spans first, so that the nearest word on a field stands.
        for span in
            context.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(fields) = span.extensions().get::<Fields>() {
                all.fields.extend(fields.fields.iter().map(|(&name, value)| (name, value.clone())));
            }
        }
        event.record(&mut all);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let time = rfc3339(self.clock.now());
        let line = match self.format {
            LogFormat::Json => json_line(&time, level, target, all),
            LogFormat::Human => human_line(&time, level, target, &all),
        };
        // Nowhere to report that a log cannot be written.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(line.as_bytes());
    }
}

/// One line of JSON; its fields in the order of reading.
#[derive(Serialize)]
struct JsonLine<'a> {
    time: &'a str,
    level: String,
    target: &'a str,
    message: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<&'static str, Value>,
}

fn json_line(time: &str, level: &Level, target: &str, all: Fields) -> String {
    let Fields { message, fields } = all;
    let line = JsonLine { time, level: level.as_str().to_lowercase(), target, message, fields };
    // Strings and JSON values always serialise.
    let mut line = serde_json::to_string(&line).unwrap_or_default();
    line.push('\n');
    line
}

fn human_line(time: &str, level: &Level, target: &str, all: &Fields) -> String {
    let mut line = format!("{time} {level:5} {target}: {}", all.message);
    for (name, value) in &all.fields {
        let _ = write!(line, " {name}={value}");
    }
    // One event stays one line, and no control sequence reaches a terminal.
    let mut line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.push('\n');
    line
}

/// `2026-11-22T20:07:32.123Z` (RFC 3339).
pub fn rfc3339(milliseconds: u64) -> String {
    let time = i64::try_from(milliseconds).ok().and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
    time.map_or_else(|| format!("{milliseconds} ms"), |time| format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::io;
    use std::sync::{Mutex, MutexGuard};

    use super::*;

    #[derive(Debug)]
    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> u64 {
            1_795_376_852_123
        }
    }

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    struct Writer<'a>(MutexGuard<'a, Vec<u8>>);

    impl io::Write for Writer<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'w> MakeWriter<'w> for Memory {
        type Writer = Writer<'w>;

        fn make_writer(&'w self) -> Writer<'w> {
            Writer(self.0.lock().unwrap())
        }
    }

    fn logged(format: LogFormat, level: Level, work: impl FnOnce()) -> String {
        let memory = Memory::default();
        let log = Log { level, format };
        tracing::subscriber::with_default(subscriber(&log, Arc::new(Stopped), memory.clone()), work);
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_of_json_has_time_level_target_message_and_fields() {
        let text = logged(LogFormat::Json, Level::INFO, || {
            let span = tracing::info_span!("link", member = "maebashi/clinic", attempt = 1);
            span.in_scope(|| tracing::warn!(attempt = 2, reason = "timed out", "cannot connect"));
        });
        let line: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({
            "time": "2026-11-22T19:47:32.123Z", "level": "warn", "target": "hibiki_node::observe::log::tests",
            "message": "cannot connect",
            "fields": {"member": "maebashi/clinic", "attempt": 2, "reason": "timed out"},
        });
        assert_eq!(line, expected);
        assert!(text.ends_with('\n') && text.matches('\n').count() == 1);
    }

    #[test]
    fn fields_that_are_not_on_the_list_are_withheld() {
        for format in [LogFormat::Json, LogFormat::Human] {
            let text = logged(format, Level::INFO, || {
                let span = tracing::info_span!("import", patient = "Hanako", line = 3);
                span.in_scope(|| tracing::info!(birth_date = %"2020-01-01", guardian = ?"Taro", "stored"));
            });
            for secret in ["Hanako", "2020-01-01", "Taro"] {
                assert!(!text.contains(secret), "{text}");
            }
            assert!(text.contains("***") && text.contains("line") && text.contains("stored"), "{text}");
        }
    }

    #[test]
    fn levels_are_kept_and_libraries_hushed() {
        let work = || {
            tracing::debug!("own debug");
            tracing::info!(target: "quinn::connection", "library info");
            tracing::warn!(target: "quinn::connection", "library warning");
        };
        let text = logged(LogFormat::Human, Level::INFO, work);
        assert!(
            !text.contains("own debug") && !text.contains("library info") && text.contains("library warning")
        );
        let text = logged(LogFormat::Human, Level::DEBUG, work);
        assert!(text.contains("own debug") && !text.contains("library info"));
        let text = logged(LogFormat::Human, Level::ERROR, work);
        assert_eq!(text, "");
    }

    #[test]
    fn a_value_cannot_start_a_line_of_its_own() {
        for format in [LogFormat::Json, LogFormat::Human] {
            let text =
                logged(format, Level::INFO, || tracing::info!(reason = "a\n{\"level\":\"x\"}\x1b[2J", "b"));
            assert_eq!(text.matches('\n').count(), 1, "{text:?}");
            assert!(!text.contains('\x1b'), "{text:?}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_names_no_person() {
        assert!(FIELDS.is_sorted());
        for word in
            ["name", "birth", "patient", "subject", "guardian", "child", "card", "pupil", "staff", "number"]
        {
            assert!(!FIELDS.iter().any(|field| field.contains(word)), "{word}");
        }
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(u64::MAX), format!("{} ms", u64::MAX));
    }
}
