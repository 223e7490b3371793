//! A request about a person, while a session is open.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use hibiki_protocol::session::{AttestedSubject, Relation};
use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::person::Sex;

use super::Frame;
use super::coverage::Coverage;
use super::glance::Glance;
use super::held::{Held, held};
use crate::clock;
use crate::consent::ConsentPart;
use crate::desk::{Live, LiveView, MadeChoice, MadeRegistration, Order, Phase, Seat};
use crate::history::HistoryPart;
use crate::registration::RegistrationPart;
use crate::web::{App, Lang};

/// What a page about a person is made from. Without an open session, or for a number nobody has, the
/// browser is sent to the beginning. Whoever was not asked about yet is asked about now.
pub(super) struct Seated {
    pub(super) frame: Frame,
    pub(super) seat: Arc<Seat>,
    index: usize,
    /// The view as far as it has come.
    pub(super) view: LiveView,
    /// Whether files may be saved on this machine.
    pub(super) downloads: bool,
}

impl FromRequestParts<App> for Seated {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let beginning = || Redirect::to("/").into_response();
        let params =
            RawPathParams::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let number = params.iter().find(|(name, _)| *name == "person");
        let number: usize = number.and_then(|(_, text)| text.parse().ok()).ok_or_else(beginning)?;
        let index = number.checked_sub(1).ok_or_else(beginning)?;
        let snapshot = app.desk.sight();
        let Phase::Open(seat) = &snapshot.phase else { return Err(beginning()) };
        let view = seat.views.get(index).ok_or_else(beginning)?.clone();
        if view.is_none() {
            app.desk.order(Order::View(index)).await;
        }
        let frame = Frame::new(app, &snapshot, parts.uri.path().to_owned(), Some(number));
        let view = view.unwrap_or_else(|| LiveView::asked(clock::now()));
        Ok(Self { frame, seat: Arc::clone(seat), index, view, downloads: app.downloads })
    }
}

impl Seated {
    /// The person, as the registry attests her.
    #[expect(clippy::indexing_slicing, reason = "the view at this index was found in the same seat")]
    pub(super) fn person(&self) -> &AttestedSubject {
        &self.seat.persons[self.index]
    }

    /// Whether she is the card's holder.
    pub(super) fn oneself(&self) -> bool {
        self.person().relation == Relation::Oneself
    }

    /// The language that stands first.
    pub(super) fn lang(&self) -> Lang {
        self.frame.lang
    }

    /// Her birth date; `None` if the registry's is no day of the calendar.
    pub(super) fn birth(&self) -> Option<CalendarDate> {
        self.person().birth_date.as_str().parse().ok()
    }

    /// Her sex, as far as the registry says.
    pub(super) fn sex(&self) -> Sex {
        Sex::from_fhir(&self.person().sex).unwrap_or(Sex::Unknown)
    }

    /// Today in Japan.
    pub(super) fn today(&self) -> Option<CalendarDate> {
        CalendarDate::in_japan(clock::now().0)
    }

    /// The records of a category that have landed, by institution in the order of the trust list.
    pub(super) fn held(&self, category: Category) -> impl Iterator<Item = Held<'_>> {
        held(&self.seat, &self.view, category)
    }

    /// Her place in the seat.
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// Who looked, as far as it was asked.
    pub(super) fn history(&self) -> Option<&Live<HistoryPart>> {
        self.seat.histories.get(self.index)?.as_ref()
    }

    /// What is let be shown, as far as it was asked.
    pub(super) fn consents(&self) -> Option<&Live<ConsentPart>> {
        self.seat.consents.get(self.index)?.as_ref()
    }

    /// The choices of this session about her, the latest first, with their numbers.
    pub(super) fn choices(&self) -> impl Iterator<Item = (usize, &MadeChoice)> {
        let made = self.seat.choices.iter().enumerate().rev();
        made.filter(|(_, made)| made.person == self.index)
    }

    /// What is registered, as far as it was asked.
    pub(super) fn registrations(&self) -> Option<&Live<RegistrationPart>> {
        self.seat.registrations.get(self.index)?.as_ref()
    }

    /// What is registered, asked for now if it was not.
    pub(super) async fn registrations_asked(&self, app: &App) -> Live<RegistrationPart> {
        if self.registrations().is_none() {
            app.desk.order(Order::Registrations(self.index)).await;
        }
        self.registrations().cloned().unwrap_or_else(|| Live::asked(clock::now()))
    }

    /// The changes of this session about her, the latest first, with their numbers.
    pub(super) fn registered(&self) -> impl Iterator<Item = (usize, &MadeRegistration)> {
        let made = self.seat.registered.iter().enumerate().rev();
        made.filter(|(_, made)| made.person == self.index)
    }

    /// What it tells at a glance.
    pub(super) fn glance(&self) -> Glance {
        Glance::new(self.person(), &self.seat, &self.view, self.lang())
    }

    /// What this view can know.
    pub(super) fn coverage(&self) -> Coverage {
        Coverage::new(&self.seat, &self.view, self.lang())
    }
}

#[cfg(test)]
impl Seated {
    /// Somebody who is seated without a desk.
    pub(super) fn at(frame: Frame, seat: Seat, index: usize, view: LiveView) -> Self {
        Self { frame, seat: Arc::new(seat), index, view, downloads: true }
    }
}
