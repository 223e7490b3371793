//! The one town of these tests; they take turns.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use hibiki_tests::chance::Chance;
use hibiki_tests::clock;
use hibiki_tests::family::{self, Family};
use hibiki_tests::house::House;
use hibiki_tests::population::Population;
use hibiki_tests::town::{Card, Settings, Town, school, staff};

use super::{hostile, thousand};

/// The town, and who lives there.
pub(crate) struct Scene {
    pub(crate) town: Town,
    pub(crate) people: Population,
    pub(crate) family: Family,
    /// The mother's card.
    pub(crate) mother: Card,
    /// The card of a guardian whose child's records are an attack.
    pub(crate) attacked: Card,
    /// The card of a guardian whose child has a thousand records.
    pub(crate) busy: Card,
    folder: tempfile::TempDir,
}

/// The town, as it was founded: everybody up and awake.
pub(crate) fn scene() -> MutexGuard<'static, Scene> {
    static SCENE: OnceLock<Mutex<Scene>> = OnceLock::new();
    let scene = SCENE.get_or_init(|| Mutex::new(Scene::found()));
    let mut scene = scene.lock().unwrap_or_else(PoisonError::into_inner);
    // A test that failed may have left something frozen or dead.
    House::ALL.into_iter().for_each(|house| scene.town.node(house).thaw());
    scene.town.start_all().unwrap();
    scene
}

impl Scene {
    fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = "[records]\nkept-since = { immunization = \"2012-04-01\" }";
        let more = vec![(House::Hospital, kept.to_owned()), (House::School, school::SECTION.to_owned())];
        let settings = Settings { more, ..Settings::default() };
        let mut town = Town::found(&folder.path().join("t"), &settings, &mut |_| {}).unwrap();
        let (mut people, family) = family::found(21, clock::today());
        let mut chance = Chance::new(22);
        let attacked = hostile::settle(&mut people, &family.third_grader, &mut chance);
        let busy = thousand::settle(&mut people, &family.third_grader, &mut chance);
        town.load(&people, &mut |_| {}).unwrap();
        school_life(&town, &people, &family);
        let mother = town.issue_card(&family.mother).unwrap();
        let attacked = town.issue_card(&attacked).unwrap();
        let busy = town.issue_card(&busy).unwrap();
        Self { town, people, family, mother, attacked, busy, folder }
    }

    /// A folder for whatever a test needs beside the town.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A resident's name.
    pub(crate) fn name(&self, resident: &str) -> &str {
        &self.people.resident(resident).unwrap().name
    }

    /// The third-grader's name.
    pub(crate) fn child(&self) -> &str {
        self.name(&self.family.third_grader)
    }
}

/// A kitchen's week, an allergen the school knows of, a timetable, a file, a morning at the gate.
fn school_life(town: &Town, people: &Population, family: &Family) {
    let today = clock::today();
    let day = |ahead: i32| today.plus_days(ahead).unwrap();
    school::enter_pupils(town, people).unwrap();
    let menus = [
        (day(1), "ごはん、かきたま汁、鶏の照り焼き", "鶏卵、にんじん、鶏肉、しょうゆ"),
        (day(2), "ごはん、みそ汁、さばの塩焼き", "さば、みそ、だいこん"),
        (day(3), "パン、シチュー", "にんじん、なぞのもと"),
    ];
    school::bring_menus(town, &menus).unwrap();
    school::accept_menus(town, today, day(5)).unwrap();
    let number = &people.archives[&House::School].numbers[&family.third_grader];
    let at_school = |words: &[&str]| staff::command(town, House::School, words).unwrap();
    at_school(&["school", "registration", "set", number, "--allergen", "egg", "--allergen", "mackerel"]);
    at_school(&["school", "gate", "touch", number, "in"]);
    let week = "時限,月,火,水,木,金\n1,国語,算数,理科,音楽,体育\n2,算数,国語,図工,図工,道徳\n";
    let words = ["school", "timetable", "import", "--class", "3-2"];
    staff::command_with(town, House::School, &words, "jikanwari.csv", week).unwrap();
    let words = [
        "school",
        "notice",
        "send",
        "--class",
        "3-2",
        "--title",
        "遠足のしおり",
        "--text",
        "しおりをお読みください",
        "--attach",
    ];
    staff::command_with(town, House::School, &words, "shiori.txt", "持ち物は弁当です。").unwrap();
    let due = day(7).to_string();
    at_school(&["school", "hand-in", "add", "--class", "3-2", "--title", "保険証のコピー", "--due", &due]);
}
