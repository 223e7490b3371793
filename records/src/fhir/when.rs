//! Which element dates a record.
//!
//! Owns the order in which elements are tried: the clinically relevant time first, the time of writing down
//! last. A present element that cannot be read is a refusal, never a reason to try the next one. A period
//! counts by its start (a Task by the end of the period in which it is wanted: the day it is due). Must not
//! know how a time becomes a day ([`crate::date::fhir_time`]).

use serde_json::value::RawValue;

use super::Reason;
use super::element::{self, Meta, Period, Restriction};
use super::resource::Resource;
use crate::date::{CalendarDate, FhirTime};

/// The effective date.
pub(crate) fn effective_date(resource: &Resource<'_>) -> Result<CalendarDate, Reason> {
    Ok(effective(resource)?.day)
}

/// The effective date with what else was written of it.
pub(crate) fn effective(resource: &Resource<'_>) -> Result<FhirTime, Reason> {
    let e = &resource.elements;
    let found = match resource.kind.name() {
        // What is known of a person is known from birth.
        "Patient" => time(e.birth_date, "birthDate")?,
        "Immunization" => first([
            time(e.occurrence_date_time, "occurrenceDateTime"),
            japanese(e.occurrence_string, "occurrenceString"),
        ])?,
        "AllergyIntolerance" => first([
            time(e.recorded_date, "recordedDate"),
            time(e.onset_date_time, "onsetDateTime"),
            period_start(e.onset_period, "onsetPeriod"),
            time(e.last_occurrence, "lastOccurrence"),
            last_updated(resource),
        ])?,
        "Task" => first([
            due(e.restriction),
            period_end(e.execution_period, "executionPeriod"),
            time(e.authored_on, "authoredOn"),
            time(e.last_modified, "lastModified"),
        ])?,
        "Appointment" => {
            first([time(e.start, "start"), first_requested(e.requested_period), time(e.created, "created")])?
        }
        "Communication" => first([time(e.sent, "sent"), time(e.received, "received")])?,
        _ => first([
            time(e.effective_date_time, "effectiveDateTime"),
            period_start(e.effective_period, "effectivePeriod"),
            time(e.effective_instant, "effectiveInstant"),
            time(e.performed_date_time, "performedDateTime"),
            period_start(e.performed_period, "performedPeriod"),
            time(e.when_handed_over, "whenHandedOver"),
            time(e.when_prepared, "whenPrepared"),
            period_start(e.period, "period"),
            time(e.date, "date"),
            time(e.authored, "authored"),
            time(e.authored_on, "authoredOn"),
            time(e.onset_date_time, "onsetDateTime"),
            time(e.recorded_date, "recordedDate"),
            time(e.issued, "issued"),
            time(e.date_asserted, "dateAsserted"),
        ])?,
    };
    found.ok_or(Reason::NoDate)
}

/// `meta.lastUpdated`.
pub(crate) fn last_updated(resource: &Resource<'_>) -> Result<Option<FhirTime>, Reason> {
    let meta: Option<Meta<'_>> = element::one(resource.elements.meta, "meta")?;
    let Some(text) = meta.and_then(|meta| meta.last_updated) else {
        return Ok(None);
    };
    FhirTime::parse(&text).map(Some).map_err(Reason::date("meta.lastUpdated"))
}

type Found = Result<Option<FhirTime>, Reason>;

/// The first that is present; a refusal before it stands.
fn first<const N: usize>(candidates: [Found; N]) -> Found {
    candidates.into_iter().find(|candidate| !matches!(candidate, Ok(None))).unwrap_or(Ok(None))
}

fn time(raw: Option<&RawValue>, field: &'static str) -> Found {
    parse(element::text(raw, field)?.as_deref(), field)
}

fn parse(text: Option<&str>, field: &'static str) -> Found {
    text.map(FhirTime::parse).transpose().map_err(Reason::date(field))
}

/// JP Core allows the day of an immunization as text.
fn japanese(raw: Option<&RawValue>, field: &'static str) -> Found {
    let text = element::text(raw, field)?;
    let day =
        text.map(|text| CalendarDate::parse_japanese(&text)).transpose().map_err(Reason::date(field))?;
    Ok(day.map(FhirTime::of_day))
}

fn period_start(raw: Option<&RawValue>, field: &'static str) -> Found {
    let period: Option<Period<'_>> = element::one(raw, field)?;
    parse(period.and_then(|period| period.start.or(period.end)).as_deref(), field)
}

fn period_end(raw: Option<&RawValue>, field: &'static str) -> Found {
    let period: Option<Period<'_>> = element::one(raw, field)?;
    parse(period.and_then(|period| period.end.or(period.start)).as_deref(), field)
}

fn due(raw: Option<&RawValue>) -> Found {
    let restriction: Option<Restriction<'_>> = element::one(raw, "restriction")?;
    let period = restriction.and_then(|restriction| restriction.period);
    parse(period.and_then(|period| period.end.or(period.start)).as_deref(), "restriction")
}

fn first_requested(raw: Option<&RawValue>) -> Found {
    let periods: Vec<Period<'_>> = element::list(raw, "requestedPeriod")?;
    let period = periods.into_iter().next();
    parse(period.and_then(|period| period.start.or(period.end)).as_deref(), "requestedPeriod")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Result<String, Reason> {
        effective_date(&Resource::read(text).unwrap_or_else(|(_, reason)| panic!("{reason}")))
            .map(|date| date.to_string())
    }

    #[test]
    fn each_kind_has_its_day() {
        for (text, expected) in [
            (
                r#"{"resourceType":"Immunization","occurrenceDateTime":"2019-10-23T23:59:46+00:00"}"#,
                "2019-10-24",
            ),
            (r#"{"resourceType":"Immunization","occurrenceString":"令和6年4月1日"}"#, "2024-04-01"),
            (
                r#"{"resourceType":"Observation","issued":"2020-01-01T00:00:00Z","effectiveDateTime":"2019-05"}"#,
                "2019-05-01",
            ),
            (
                r#"{"resourceType":"AllergyIntolerance","meta":{"lastUpdated":"2019-12-31T15:00:00Z"}}"#,
                "2020-01-01",
            ),
            (
                r#"{"resourceType":"Task","authoredOn":"2024-04-01","restriction":{"period":{"end":"2024-04-12"}}}"#,
                "2024-04-12",
            ),
            (
                r#"{"resourceType":"Appointment","start":"2024-10-04T23:30:00Z","created":"2024-04-01"}"#,
                "2024-10-05",
            ),
            (r#"{"resourceType":"Encounter","period":{"start":"2024-04-01T10:00:00+09:00"}}"#, "2024-04-01"),
            (
                r#"{"resourceType":"MedicationDispense","whenHandedOver":"2024-04-02","whenPrepared":"2024-04-01"}"#,
                "2024-04-02",
            ),
            (
                r#"{"resourceType":"Patient","birthDate":"2020-05-06","meta":{"lastUpdated":"2024-01-01T00:00:00Z"}}"#,
                "2020-05-06",
            ),
        ] {
            assert_eq!(date(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_unreadable_date_is_not_passed_over() {
        let text = r#"{"resourceType":"Observation","effectiveDateTime":"yesterday","issued":"2020-01-01T00:00:00Z"}"#;
        assert_eq!(date(text), Err(Reason::BadDate("effectiveDateTime")));
        assert_eq!(
            date(r#"{"resourceType":"Observation","effectiveDateTime":20200101}"#),
            Err(Reason::Malformed("effectiveDateTime"))
        );
        assert_eq!(
            date(r#"{"resourceType":"Immunization","meta":{"lastUpdated":"2019-12-31T15:00:00Z"}}"#),
            Err(Reason::NoDate)
        );
    }
}
