//! The commands `school alert plan`, what would be and was told of a lunch, and `school alert run`, a round now.

use std::sync::Arc;

use hibiki_records::date::CalendarDate;
use hibiki_records::lunch::words;
use hibiki_records::school_days::DayKind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::round::{Child, Lunches, children, outlook, told_place};
use super::saying::{Outlook, Said, Told};
use super::{AlertError, Alerts};
use crate::admin::{AdminError, Request, Router};
use crate::ledger::details;
use crate::recordbook::SubjectId;
use crate::store::Keyspace;
use crate::vault::Row;

/// Name of the command that shows what is told.
pub const PLAN: &str = "school alert plan";
/// Name of the command that tells now what is open.
pub const RUN: &str = "school alert run";

/// Days ahead in which the next lunch is looked for.
const AHEAD_DAYS: i32 = 120;

/// Arguments of `school alert plan`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Which lunch; absent: the next one.
    pub date: Option<CalendarDate>,
}

/// One child on one day.
#[derive(Serialize, Deserialize)]
pub struct Line {
    /// Her class.
    pub class: String,
    /// The institution's own number.
    pub pupil: String,
    /// What is said of her lunch.
    pub said: Said,
    /// What she must not eat, each with the reason.
    pub contains: Vec<String>,
    /// What could not be cleared.
    pub doubts: Vec<String>,
    /// Guardians with a confirmed address who may be told.
    pub addresses: usize,
    /// How many of them were told exactly this, or had nothing to be told.
    pub told: usize,
}

/// Registers the commands.
pub fn register(router: &mut Router, alerts: &Arc<Alerts>) {
    let planning = Arc::clone(alerts);
    router.add(PLAN, move |request, _| plan(Arc::clone(&planning), request));
    let running = Arc::clone(alerts);
    router.add(RUN, move |request, _| run(Arc::clone(&running), request));
}

impl From<AlertError> for AdminError {
    fn from(error: AlertError) -> Self {
        Self::new(error.to_string()).next("repeat the command; if it fails again, see `hibiki-node status`")
    }
}

async fn plan(alerts: Arc<Alerts>, request: Request) -> Result<Value, AdminError> {
    let Plan { date } = request.parse()?;
    let day = match date {
        Some(day) => Some(day),
        None => alerts.next_lunch()?,
    };
    let Some(day) = day else {
        return Err(AdminError::new("no lunch in the next 120 days / 今後120日間に給食の日がありません")
            .next("see `hibiki-node school day list` and `hibiki-node school class list`"));
    };
    alerts
        .means
        .log_look(&request.looker(), PLAN)
        .await
        .map_err(|error| AdminError::new(error.to_string()))?;
    let lines = alerts.lines(day)?;
    Ok(json!({ "date": day, "children": lines }))
}

async fn run(alerts: Arc<Alerts>, request: Request) -> Result<Value, AdminError> {
    let by = request.staff()?.to_owned();
    let entry = details::Staff { by, action: RUN.to_owned() };
    alerts.means.log(None, &entry).await.map_err(|error| AdminError::new(error.to_string()))?;
    let round = alerts.round().await?;
    Ok(json!({
        "children": round.children,
        "judged": round.judged,
        "letters": round.letters,
        "unreachable": round.unreachable.len(),
    }))
}

impl Alerts {
    /// The next lunch of anybody, today's until it is eaten.
    fn next_lunch(&self) -> Result<Option<CalendarDate>, AlertError> {
        let now = self.means.env.now();
        let Some(today) = CalendarDate::in_japan(now) else { return Ok(None) };
        let calendar = self.days.calendar()?;
        let mut tables: Vec<(String, String)> =
            self.roster.pupils()?.into_iter().map(|pupil| (pupil.kitchen, pupil.class)).collect();
        tables.sort();
        tables.dedup();
        let ahead = (0..=AHEAD_DAYS).filter_map(|ahead| today.plus_days(ahead));
        let eaten = |day: CalendarDate| now >= super::hours::in_japan(day, self.hours.lunch);
        let mut ahead = ahead.filter(|day| !eaten(*day));
        Ok(ahead.find(|day| {
            tables
                .iter()
                .any(|(kitchen, class)| calendar.on(*day, Some(kitchen), Some(class)) == DayKind::Lunch)
        }))
    }

    fn lines(&self, day: CalendarDate) -> Result<Vec<Line>, AlertError> {
        let calendar = self.days.calendar()?;
        let pupils = self.roster.pupils()?;
        let registered = self.registrations.all()?;
        let mut lunches = Lunches::default();
        let mut lines = Vec::new();
        for child in children(&pupils, &registered) {
            if calendar.on(day, Some(&child.pupil.kitchen), Some(&child.pupil.class)) != DayKind::Lunch {
                continue;
            }
            let lunch = lunches.of(self, &child.pupil.kitchen, day)?;
            lines.push(self.line(&child, day, outlook(lunch.as_deref(), &child))?);
        }
        lines.sort_by(|a, b| (&a.class, &a.pupil).cmp(&(&b.class, &b.pupil)));
        Ok(lines)
    }

    fn line(&self, child: &Child<'_>, day: CalendarDate, outlook: Outlook) -> Result<Line, AlertError> {
        let (mut addresses, mut told) = (0, 0);
        for guardian in &child.guardians {
            if self.is_held(guardian)? {
                continue;
            }
            addresses += 1;
            let place = told_place(&child.pupil.key, day, &guardian.alias.0);
            let row: Option<Row<Told>> = self.means.vault.get(Keyspace::School, &place)?;
            told += usize::from(
                super::saying::next(row.as_ref().map(|row| &row.value), outlook.clone()).is_none(),
            );
        }
        let said = outlook.said();
        let (contains, doubts) = match &outlook {
            Outlook::NoMenu => (Vec::new(), Vec::new()),
            Outlook::Judged(decision) => (
                decision.contains.iter().map(|finding| words::explain(finding).ja).collect(),
                decision.doubts.iter().map(|doubt| words::explain_doubt(doubt).ja).collect(),
            ),
        };
        let pupil = self.book.local_number(SubjectId::from_bytes(child.pupil.key))?;
        let class = child.pupil.class.clone();
        Ok(Line { class, pupil, said, contains, doubts, addresses, told })
    }
}
