//! The demo's story, chapter by chapter.

use std::fs::{self, File};
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use hibiki_records::date::age;
use hibiki_tests::clock;
use hibiki_tests::family;
use hibiki_tests::house::House;
use hibiki_tests::population::Population;
use hibiki_tests::spread::{SpreadError, Wanted, spread};
use hibiki_tests::town::{Card, Page, Settings, Town, TownError};
use hibiki_tests::view::View;

use crate::Arguments;
use crate::lunch;
use crate::narrator::{chapter, say, step};
use crate::touch::Touched;

/// The seed of the demo's family; any other would do.
const SEED: u64 = 20_261_122;

/// Why the story broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The town.
    #[error(transparent)]
    Town(#[from] TownError),
    /// The files given.
    #[error(transparent)]
    Data(#[from] SpreadError),
    /// The town's folder.
    #[error("{path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody else's folder.
    #[error("{0} was not made by this demo; name another folder with --dir, or remove it yourself")]
    NotOurs(PathBuf),
    /// Another demo.
    #[error("another demo is using {0}; end it first, or name another folder with --dir")]
    Taken(PathBuf),
    /// The post office.
    #[error("the SMTP server of the demo: {0}")]
    Post(#[from] std::io::Error),
    /// A view is not what it has to be.
    #[error("{0}")]
    Wrong(String),
}

/// The people shown.
struct Cast {
    people: Population,
    guardian: String,
    child: String,
}

pub(crate) fn tell(arguments: &Arguments) -> Result<(), Trouble> {
    let folder = &arguments.dir;
    let _ours = occupy(folder)?;
    let cast = cast(arguments.data.as_deref())?;

    chapter(
        1,
        "六つの施設を立ち上げます",
        "Six institutions start, each a process with its own folder and keys",
    );
    let post = lunch::open_post_office(&folder.join("post"))?;
    let settings = Settings { more: lunch::settings(post.as_ref())?, ..Settings::default() };
    let mut town = Town::found(&folder.join("town"), &settings, &mut |house| {
        let (ja, en) = house.names();
        step(&format!("{ja} / {en}"));
    })?;
    for house in House::ALL {
        step(&format!("{}  {}", town.node(house).address(), house.id()));
    }

    chapter(
        2,
        "それぞれの施設に、それぞれの記録を入れます",
        "Every institution gets its own records, and nobody else's",
    );
    town.load(&cast.people, &mut |house| step(house.names().0))?;
    let plastic = town.issue_card(&cast.guardian)?;

    chapter(
        3,
        "保護者がカードをかざします",
        "The guardian touches the card: one session, one question to everybody",
    );
    let touched = Touched::put(&plastic);
    let card = touched.as_ref().map_or_else(|| plastic.clone(), |touched| touched.card(&plastic));
    if let Some(touched) = &touched {
        touched.look(&town)?;
    }
    let number = number_of(&town, &card, &cast)?;
    show(&town, &card, number)?;
    let view = keep(&town, &card, number, &folder.join("view.json"))?;
    complete(&view, &cast)?;

    chapter(4, "病院が止まりました", "The hospital stops; the view says what it lacks");
    town.node_mut(House::Hospital).stop()?;
    town.await_links_down(&[House::Hospital])?;
    show(&town, &card, number)?;
    let partial = keep(&town, &card, number, &folder.join("view-partial.json"))?;
    partially(&partial)?;

    chapter(5, "病院が戻りました", "The hospital is back, and the view is complete again");
    town.start(House::Hospital)?;
    let again = keep(&town, &card, number, &folder.join("view-again.json"))?;
    complete(&again, &cast)?;
    let coverage = &again.coverage;
    step(&format!("{} 施設すべてから応答 / all {} institutions answered", coverage.asked, coverage.asked));

    chapter(
        6,
        "あしたの給食に、食べられないものがあります",
        "Tomorrow's lunch holds what the child must not eat: a mail, the evening before",
    );
    match &post {
        Some(post) => lunch::tell(&town, post, &cast.people, &card, number)?,
        None => {
            step("SMTP サーバーがないため飛ばします（.ci/setup）/ skipped: no SMTP server (run .ci/setup)");
        }
    }

    if let Some(touched) = &touched {
        chapter(7, "カードを離します", "The card is taken away: the session ends, at every institution");
        touched.lift(&town, &plastic)?;
    }
    say(&format!(
        "\n{} と / and {} に保存しました。",
        path(folder, "view.json"),
        path(folder, "view-partial.json")
    ));

    chapter(8, "保護者の画面を開きます", "The guardian's page, for a browser on this machine");
    let page = town.serve(&card, &[])?;
    opens(&page)?;
    if !arguments.once {
        stay(&town, &plastic, touched.as_ref(), number, page)?;
    }
    for house in House::ALL {
        town.node_mut(house).stop()?;
    }
    Ok(())
}

/// Empties the folder and keeps it ours until the program ends.
fn occupy(folder: &Path) -> Result<File, Trouble> {
    let fail = |source| Trouble::Folder { path: folder.to_owned(), source };
    let mark = folder.join(".hibiki-demo");
    if folder.exists() && !mark.exists() && fs::read_dir(folder).map_err(fail)?.next().is_some() {
        return Err(Trouble::NotOurs(folder.to_owned()));
    }
    fs::create_dir_all(folder).map_err(fail)?;
    let lock = File::create(&mark).map_err(fail)?;
    lock.try_lock().map_err(|_| Trouble::Taken(folder.to_owned()))?;
    let town = folder.join("town");
    if town.exists() {
        fs::remove_dir_all(&town).map_err(fail)?;
    }
    for name in ["view.json", "view-partial.json", "view-again.json"] {
        let stale = folder.join(name);
        if stale.exists() {
            fs::remove_file(stale).map_err(fail)?;
        }
    }
    Ok(lock)
}

/// Who is shown: the invented family, or the first guardian of the files and her first child.
fn cast(data: Option<&Path>) -> Result<Cast, Trouble> {
    let today = clock::today();
    let Some(folder) = data else {
        let (people, family) = family::found(SEED, today);
        return Ok(Cast { people, guardian: family.mother, child: family.third_grader });
    };
    // The last one to be a minor tomorrow: 18 years have 4 or 5 leap days.
    let born_from = (-18 * 366..)
        .filter_map(|days| today.plus_days(days))
        .find(|birth| age::attained_age(*birth, today).is_some_and(|years| years < 18));
    let born_from = born_from.unwrap_or(today);
    let spread = spread(folder, Wanted { today, born_from, most: 20 })?;
    say(&format!(
        "{} 人分の記録を読みました / read the records of {} children",
        spread.people.len(),
        spread.people.len()
    ));
    let nobody = || Trouble::Wrong(format!("{}: there is no child under 18", folder.display()));
    let care = spread.population.guardianships.first().cloned().ok_or_else(nobody)?;
    Ok(Cast { people: spread.population, guardian: care.guardian, child: care.child })
}

/// Under which number the terminal knows the child.
fn number_of(town: &Town, card: &Card, cast: &Cast) -> Result<usize, Trouble> {
    let child = cast.people.resident(&cast.child);
    let (name, birth) = child.map(|child| (child.name.clone(), child.birth.to_string())).unwrap_or_default();
    let subjects = town.login(card)?;
    for subject in &subjects {
        step(&format!("{}（{}） {} 生 {}", subject.name, subject.kana, subject.birth_date, subject.relation));
    }
    let place = subjects.iter().position(|subject| subject.name == name && subject.birth_date == birth);
    place.map(|place| place + 1).ok_or_else(|| Trouble::Wrong("the card does not act for the child".into()))
}

/// The view as the guardian reads it.
fn show(town: &Town, card: &Card, number: usize) -> Result<(), Trouble> {
    say(town.read_view(card, number)?.trim_end());
    Ok(())
}

/// The view as JSON, kept beside the town.
fn keep(town: &Town, card: &Card, number: usize, file: &Path) -> Result<View, Trouble> {
    let asked = town.view(card, number, &[])?;
    fs::write(file, &asked.json).map_err(|source| Trouble::Folder { path: file.to_owned(), source })?;
    Ok(asked.into_view()?)
}

/// Every record that was loaded for the child is there, and nothing else.
fn complete(view: &View, cast: &Cast) -> Result<(), Trouble> {
    let (shown, expected) = (view.keys().map_err(Trouble::Wrong)?, cast.people.expected(&cast.child));
    let count = |keys: &std::collections::BTreeMap<House, std::collections::BTreeSet<String>>| -> usize {
        keys.values().map(std::collections::BTreeSet::len).sum()
    };
    if !view.coverage.complete || shown != expected {
        let words = format!("the view shows {} records of {}", count(&shown), count(&expected));
        return Err(Trouble::Wrong(words));
    }
    step(&format!(
        "記録 {} 件、入れたものと一致 / {} records, exactly those loaded",
        count(&shown),
        count(&shown)
    ));
    Ok(())
}

fn partially(view: &View) -> Result<(), Trouble> {
    let outcome = view.outcome(House::Hospital);
    if outcome == "unreachable" && !view.coverage.complete {
        return Ok(());
    }
    Err(Trouble::Wrong(format!("the hospital is stopped, but the view calls it {outcome:?}")))
}

/// The page answers, and to nobody without its link.
fn opens(page: &Page) -> Result<(), Trouble> {
    let answer = page.knock().map_err(|source| Trouble::Folder { path: page.origin().into(), source })?;
    if answer.starts_with("HTTP/1.1 403 ") {
        step(&format!("{} … リンクなしでは開きません / does not open without its link", page.origin()));
        return Ok(());
    }
    Err(Trouble::Wrong(format!("the page lets in whoever knocks: {answer:?}")))
}

/// Keeps the town running until Enter.
fn stay(
    town: &Town,
    card: &Card,
    touched: Option<&Touched>,
    number: usize,
    mut page: Page,
) -> Result<(), Trouble> {
    let terminal = town.programs().path("hibiki-terminal");
    let simcard = town.programs().path("hibiki-simcard");
    let node = town.programs().path("hibiki-node");
    let (folder, card) = (town.folder().display(), card.file.display());
    let terminal = touched.map(Touched::environment).unwrap_or_default() + &terminal.display().to_string();
    let (with, lift) = match touched {
        Some(_) => (
            String::new(),
            format!(
                "\n  {terminal} login --config {folder}/terminal.toml --stay\n  {} remove {card}",
                simcard.display()
            ),
        ),
        None => (format!(" --card-file {card}"), String::new()),
    };
    let node_of = |house: House| format!("{folder}/{}/node.toml", house.slug());
    say(&format!(
        "\n町は動いています。別の端末で試せます（暗証番号 1234）\nThe town is running. Try in another terminal (the PIN is 1234):\n\
         \n  {terminal} view --config {folder}/terminal.toml{with} --subject {number}{lift}\
         \n  {node} status --config {city}\
         \n  {node} ledger verify --config {hospital}\
         \n\nEnter で終わります / Press Enter to end.",
        node = node.display(),
        city = node_of(House::CityHall),
        hospital = node_of(House::Hospital),
    ));
    say(&format!(
        "\n▶ ブラウザーで開いてください（一度だけ開けます。暗証番号は 1234。新しいリンク：l と Enter）\n▶ Open this in a browser (it opens once; the PIN is 1234; a new link: l and Enter)\n\n  {}\n",
        page.link()
    ));
    loop {
        let mut line = String::new();
        match std::io::stdin().lock().read_line(&mut line) {
            // Without anybody to press Enter, the town runs until it is interrupted.
            Ok(0) => std::thread::park(),
            Ok(_) if line.trim() == "l" => say(&format!("\n  {}\n", page.another_link()?)),
            _ => return Ok(()),
        }
    }
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}
