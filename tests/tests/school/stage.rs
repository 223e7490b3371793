//! A town whose school has a kitchen and a relay, and a mother with her card.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use hibiki_records::date::CalendarDate;
use hibiki_tests::clock;
use hibiki_tests::family::{self, Family};
use hibiki_tests::house::House;
use hibiki_tests::population::Population;
use hibiki_tests::post_office::PostOffice;
use hibiki_tests::town::inspected::inspect;
use hibiki_tests::town::{Card, Settings, Town, school, staff};
use serde_json::Value;

pub(crate) struct Stage {
    pub(crate) town: Town,
    pub(crate) post: PostOffice,
    /// The day of the lunch that is told of now.
    pub(crate) lunch: CalendarDate,
    /// The child's number at the school.
    pub(crate) number: String,
    card: Card,
    neighbour: Card,
    child: usize,
    staff_page: String,
    name: String,
    folder: tempfile::TempDir,
}

impl Stage {
    /// `None`, said loudly, where no SMTP server is installed.
    pub(crate) fn open(name: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
        let post = PostOffice::open(&folder.path().join("post")).unwrap()?;
        let today = clock::today();
        // Alerts from midnight on: whatever the hour of the test, tomorrow's lunch is told of today.
        let staff_page = free_address();
        let page = format!("[staff-page]\naddress = \"{staff_page}\"\n\n");
        let mail = post.mail_section().unwrap();
        let more = vec![(House::School, format!("{}{mail}{page}", school::SECTION))];
        let settings = Settings { more, ..Settings::default() };
        let mut town = Town::found(&folder.path().join("town"), &settings, &mut |_| {}).unwrap();
        let (people, family) = family::found(7, today);
        town.load(&people, &mut |_| {}).unwrap();
        let card = town.issue_card(&family.mother).unwrap();
        let child = number_of(&town, &card, &people, &family);
        let lunch = today.plus_days(1).unwrap();
        let name = people.resident(&family.third_grader).unwrap().name.clone();
        let number = people.archives[&House::School].numbers[&family.third_grader].clone();
        let neighbour = town.issue_card(&neighbour_of(&people, &family)).unwrap();
        let stage = Self { town, post, lunch, number, card, neighbour, child, staff_page, name, folder };
        let imported = school::enter_pupils(&stage.town, &people).unwrap();
        assert_eq!(imported["faults"], serde_json::json!([]), "{imported}");
        // Today has no lunch and tomorrow has one, whatever day of the week it is.
        school::set_lunch(&stage.town, today, false).unwrap();
        school::set_lunch(&stage.town, lunch, true).unwrap();
        Some(stage)
    }

    /// Stops the school and lays it open: every row is one of its tables', and these kinds are among them.
    pub(crate) fn assert_rows_explained(&mut self, kinds: &[&str]) {
        self.town.node_mut(House::School).stop().unwrap();
        let inspected = inspect(&self.town, House::School, &self.folder.path().join("inspected")).unwrap();
        let unknown: Vec<_> = inspected.rows.iter().filter(|row| row["class"] == "unknown").collect();
        assert!(inspected.explained && unknown.is_empty(), "{} {unknown:#?}", inspected.said);
        let classes = inspected.classes();
        assert!(kinds.iter().all(|kind| classes.contains_key(kind)), "{kinds:?} {classes:?}");
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

    /// Tomorrow's menu: dishes and ingredients.
    pub(crate) fn bring(&self, menus: &[&str]) {
        let menus: Vec<(CalendarDate, &str, &str)> = menus
            .iter()
            .map(|menu| menu.split_once(',').unwrap())
            .map(|(dishes, things)| (self.lunch, dishes, things))
            .collect();
        let brought = school::bring_menus(&self.town, &menus).unwrap();
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

    /// Everything of these kinds in her view, as text.
    pub(crate) fn records(&self, kinds: &[&str]) -> String {
        self.view_of(&self.card, self.child, kinds)
    }

    /// The same in the view of a classmate's mother.
    pub(crate) fn classmate_records(&self, kinds: &[&str]) -> String {
        let subjects = self.town.login(&self.neighbour).unwrap();
        let child = subjects.iter().position(|subject| subject.relation != "self").unwrap() + 1;
        self.view_of(&self.neighbour, child, kinds)
    }

    fn view_of(&self, card: &Card, child: usize, kinds: &[&str]) -> String {
        let words: Vec<&str> = kinds.iter().flat_map(|kind| ["--category", kind]).collect();
        self.town.view(card, child, &words).unwrap().json
    }

    /// Makes an account for the staff's page.
    pub(crate) fn account(&self, name: &str, role: &str, password: &str) {
        let config = self.town.node(House::School).config_text().to_owned();
        let words = ["staff", "add", name, "--role", role, "--config", &config, "--staff", "root"];
        let mut command = Command::new(self.town.programs().path("hibiki-node"));
        let mut child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// The staff's page for whoever logs in; `None` if she is not let in.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> Option<String> {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        let agent = ureq::Agent::new_with_config(config);
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let body = format!("name={}&password={}", encode(name), encode(password));
        let form = "application/x-www-form-urlencoded";
        let login =
            agent.post(format!("http://{}/login", self.staff_page)).content_type(form).send(body).unwrap();
        let cookie = login.headers().get("set-cookie")?.to_str().ok()?.split(';').next()?.to_owned();
        let mut page =
            agent.get(format!("http://{}/", self.staff_page)).header("cookie", cookie).call().unwrap();
        Some(page.body_mut().read_to_string().unwrap())
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

/// The guardian of another child of the class.
fn neighbour_of(people: &Population, family: &Family) -> String {
    let at_school = &people.archives[&House::School].numbers;
    let other = people.guardianships.iter().find(|care| {
        care.guardian != family.mother
            && care.guardian != family.father
            && at_school.contains_key(&care.child)
    });
    other.unwrap().guardian.clone()
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
