//! A town whose school has a kitchen and a relay, and a mother with her card.

use std::time::Duration;

use hibiki_records::date::CalendarDate;
use hibiki_tests::clock;
use hibiki_tests::family::{self, Family};
use hibiki_tests::house::House;
use hibiki_tests::population::Population;
use hibiki_tests::post_office::PostOffice;
use hibiki_tests::town::{Card, Settings, Town, staff};
use serde_json::Value;

pub(crate) struct Stage {
    pub(crate) town: Town,
    pub(crate) post: PostOffice,
    /// The day of the lunch that is told of now.
    pub(crate) lunch: CalendarDate,
    card: Card,
    child: usize,
    name: String,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// `None`, said loudly, where no SMTP server is installed.
    pub(crate) fn open(name: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        let post = PostOffice::open(&folder.path().join("post")).unwrap()?;
        let today = clock::today();
        // Alerts from midnight on: whatever the hour of the test, tomorrow's lunch is told of today.
        let school = "[school]\nkitchen = \"第1地区\"\nalert-time = \"00:00\"\nwarn-time = \"00:00\"\nlunch-time = \"23:59\"\n\n";
        let more = vec![(House::School, format!("{school}{}", post.mail_section().unwrap()))];
        let settings = Settings { more, ..Settings::default() };
        let mut town = Town::found(&folder.path().join("town"), &settings, &mut |_| {}).unwrap();
        let (people, family) = family::found(7, today);
        town.load(&people, &mut |_| {}).unwrap();
        let card = town.issue_card(&family.mother).unwrap();
        let child = number_of(&town, &card, &people, &family);
        let lunch = today.plus_days(1).unwrap();
        let name = people.resident(&family.third_grader).unwrap().name.clone();
        let stage = Self { town, post, lunch, card, child, name, _folder: folder };
        stage.enter_pupils(&people, today);
        Some(stage)
    }

    /// The class list, and a calendar in which tomorrow has lunch and today has none.
    fn enter_pupils(&self, people: &Population, today: CalendarDate) {
        let mut list = "学籍番号,氏名,フリガナ,生年月日,性別,学年,組\r\n".to_owned();
        let archive = &people.archives[&House::School];
        for (resident, number) in &archive.numbers {
            let Some(person) = people.resident(resident) else { continue };
            let sex = person.sex.code();
            list.push_str(&format!(
                "{number},{},{},{},{sex},3,2\r\n",
                person.name, person.kana, person.birth
            ));
        }
        let words = ["school", "pupil", "import"];
        let imported = staff::command_with(&self.town, House::School, &words, "meibo.csv", &list).unwrap();
        assert_eq!(imported["faults"], serde_json::json!([]), "{imported}");
        for (day, kind) in [(today, "no-lunch"), (self.lunch, "lunch")] {
            let day = day.to_string();
            self.staff(&["school", "day", "add", "--from", &day, "--kind", kind, "--reason", "試験"]);
        }
    }

    pub(crate) fn staff(&self, words: &[&str]) -> Value {
        staff::command(&self.town, House::School, words).unwrap()
    }

    /// What the command line says when the node refuses.
    pub(crate) fn refused(&self, words: &[&str], file: Option<&str>) -> String {
        let done = match file {
            Some(text) => staff::command_with(&self.town, House::School, words, "refused.csv", text),
            None => staff::command(&self.town, House::School, words),
        };
        done.expect_err("this is refused").to_string()
    }

    /// Menus of tomorrow: dishes and ingredients.
    pub(crate) fn bring(&self, menus: &[&str]) {
        let mut table = "日付,献立,食材,牛乳\n".to_owned();
        for menu in menus {
            let (dishes, things) = menu.split_once(',').unwrap();
            table.push_str(&format!("{},{dishes},{things},×\n", self.lunch));
        }
        let words = ["school", "menu", "import"];
        let brought = staff::command_with(&self.town, House::School, &words, "kondate.csv", &table).unwrap();
        assert_eq!(brought["faults"], serde_json::json!([]), "{brought}");
    }

    pub(crate) fn accept(&self) {
        let said = self.accepted(&["--with-unknown"]);
        assert!(said.contains("revision"), "{said}");
    }

    /// What accepting tomorrow's menu says, good or bad.
    pub(crate) fn accepted(&self, more: &[&str]) -> String {
        let day = self.lunch.to_string();
        let mut words = vec!["school", "menu", "accept", "--from", &day];
        words.extend(more);
        match staff::command(&self.town, House::School, &words) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) fn register(&mut self, more: &[&str]) -> (Value, bool) {
        self.register_as(more)
    }

    pub(crate) fn register_as(&self, more: &[&str]) -> (Value, bool) {
        let mut words = vec!["--at", House::School.id()];
        words.extend(more);
        self.town.registration(&self.card, self.child, &words).unwrap()
    }

    /// The code that was mailed last to an address.
    pub(crate) fn code(&self, address: &str) -> String {
        let letters = self.post.await_letters(address, 1, Duration::from_secs(20));
        let text = &letters.last().expect("the mail with the code").text;
        let digits: Vec<&str> =
            text.split(|c: char| !c.is_ascii_digit()).filter(|piece| piece.len() == 6).collect();
        (*digits.first().expect("a code of six digits")).to_owned()
    }

    pub(crate) fn confirm(&mut self, address: &str) {
        assert!(self.register(&["--address", address]).1);
        let code = self.code(address);
        assert!(self.register(&["--code", &code]).1);
    }

    /// What she is told is registered at the school.
    pub(crate) fn registration(&self) -> Value {
        let (shown, _) = self.town.registration(&self.card, self.child, &[]).unwrap();
        let parts = shown["parts"].as_array().unwrap();
        parts.iter().find(|part| part["institution"] == House::School.id()).unwrap().clone()
    }

    /// Days of the menus in her view.
    pub(crate) fn lunches(&self) -> Vec<String> {
        let json = self.town.view(&self.card, self.child, &["--category", "school_menu"]).unwrap().json;
        let view: Value = serde_json::from_str(&json).unwrap();
        let parts = view["parts"].as_array().unwrap().iter();
        let records = parts.flat_map(|part| part["records"].as_array().cloned().unwrap_or_default());
        records.map(|record| record["date"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn await_state(&self, what: &str, is: impl Fn(&Value) -> bool) {
        let mut last = Value::Null;
        let reached = clock::wait_until(Duration::from_secs(30), || {
            last = self.staff(&["mail", "list"]);
            is(&last)
        });
        assert!(reached, "never {what}: {last}");
    }

    /// The board, as text.
    pub(crate) fn problems(&self) -> String {
        self.staff(&["status"])["problems"].to_string()
    }

    pub(crate) fn given(&self) -> &str {
        self.name.split_whitespace().last().unwrap()
    }

    pub(crate) fn family(&self) -> &str {
        self.name.split_whitespace().next().unwrap()
    }
}

fn number_of(town: &Town, card: &Card, people: &Population, family: &Family) -> usize {
    let child = people.resident(&family.third_grader).unwrap();
    let subjects = town.login(card).unwrap();
    subjects.iter().position(|subject| subject.name == child.name).unwrap() + 1
}
