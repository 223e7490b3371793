//! `hibiki-node school`: the roster, the days, the menus, what is registered, and the allergy alert.

mod alert;
mod class;
mod day;
mod event;
mod gate;
mod hand_in;
mod menu;
mod notice;
mod pupil;
mod registration;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::CliError;
use super::output::printable;

/// Arguments of `school`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    family: Family,
}

#[derive(Debug, Subcommand)]
enum Family {
    /// 児童 / the class list.
    #[command(subcommand)]
    Pupil(pupil::Action),
    /// 学級と給食地区 / classes and their kitchens.
    #[command(subcommand)]
    Class(class::Action),
    /// 給食のある日・ない日 / days with and without lunch.
    #[command(subcommand)]
    Day(day::Action),
    /// 献立 / menus.
    #[command(subcommand)]
    Menu(menu::Action),
    /// お知らせ / notices.
    #[command(subcommand)]
    Notice(notice::Action),
    /// 提出物 / things to hand in.
    #[command(subcommand)]
    HandIn(hand_in::Action),
    /// 行事 / events.
    #[command(subcommand)]
    Event(event::Action),
    /// 時間割 / timetables.
    #[command(subcommand)]
    Timetable(event::Timetable),
    /// 登下校 / arrival and leaving.
    #[command(subcommand)]
    Gate(gate::Action),
    /// アレルギーの登録 / what is registered for pupils.
    #[command(subcommand)]
    Registration(registration::Action),
    /// アレルギーのお知らせ / the allergy alert.
    #[command(subcommand)]
    Alert(alert::Action),
}

/// Asks and prints.
///
/// # Errors
/// The node cannot be asked, or refuses.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.family {
        Family::Pupil(action) => pupil::run(action),
        Family::Class(action) => class::run(action),
        Family::Day(action) => day::run(action),
        Family::Menu(action) => menu::run(action),
        Family::Notice(action) => notice::run(action),
        Family::HandIn(action) => hand_in::run(action),
        Family::Event(action) => event::run(action),
        Family::Timetable(action) => event::run_timetable(action),
        Family::Gate(action) => gate::run(action),
        Family::Registration(action) => registration::run(action),
        Family::Alert(action) => alert::run(action),
    }
}

/// Text of a value, fit for a terminal; nothing for what is absent.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        other => printable(&other.to_string()),
    }
}

/// The texts of a list, joined.
fn joined(value: &Value) -> String {
    value.as_array().map(|list| list.iter().map(text).collect::<Vec<_>>().join("、")).unwrap_or_default()
}

/// Every element of a list.
fn each<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// A heading and lines, or what is said where there are none.
fn table(heading: &str, rows: Vec<String>, none: &str) -> String {
    if rows.is_empty() { format!("{none}\n") } else { format!("{heading}\n{}\n", rows.join("\n")) }
}

/// Lines, or what is said where there are none.
fn lines(lines: Vec<String>, none: &str) -> String {
    if lines.is_empty() { format!("{none}\n") } else { lines.join("\n") + "\n" }
}
