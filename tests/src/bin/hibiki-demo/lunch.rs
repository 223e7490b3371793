//! The chapter of the allergy alert: a registration becomes a mail in a real mailbox.

use std::path::Path;
use std::time::Duration;

use hibiki_tests::clock;
use hibiki_tests::house::House;
use hibiki_tests::population::Population;
use hibiki_tests::post_office::PostOffice;
use hibiki_tests::town::{Card, Town, school};

use crate::narrator::{say, step};
use crate::story::Trouble;

const ADDRESS: &str = "hanako@example.jp";
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens the post office, where its software is installed.
pub(crate) fn open_post_office(folder: &Path) -> Result<Option<PostOffice>, Trouble> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(PostOffice::open(folder)?)
}

/// What the school's configuration says of kitchen and relay.
pub(crate) fn settings(post: Option<&PostOffice>) -> Result<Vec<(House, String)>, Trouble> {
    let mail = post.map(PostOffice::mail_section).transpose()?.unwrap_or_default();
    Ok(vec![(House::School, format!("{}{mail}", school::SECTION))])
}

/// Staff enter the class and tomorrow's menu, the guardian registers, the mail comes.
pub(crate) fn tell(
    town: &Town,
    post: &PostOffice,
    people: &Population,
    card: &Card,
    number: usize,
) -> Result<(), Trouble> {
    let today = clock::today();
    let wrong = |what: &str| Trouble::Wrong(what.to_owned());
    let tomorrow = today.plus_days(1).ok_or_else(|| wrong("there is no tomorrow"))?;
    school::enter_pupils(town, people)?;
    school::set_lunch(town, today, false)?;
    school::set_lunch(town, tomorrow, true)?;
    school::bring_menus(
        town,
        &[(tomorrow, "ごはん、かきたま汁、肉じゃが", "鶏卵、豚肉、じゃがいも、しょうゆ")],
    )?;
    school::accept_menus(town, tomorrow, tomorrow)?;
    step(
        "学校が名簿と献立を入れ、栄養教諭が確定しました / the school has entered its class and accepted tomorrow's menu",
    );

    let register = |words: &[&str]| {
        let mut all = vec!["--at", House::School.id()];
        all.extend(words);
        town.registration(card, number, &all)
    };
    let (_, taken) = register(&["--allergen", "egg"])?;
    if !taken {
        step("このお子さまの学校ではありません / the child is not at this school");
        return Ok(());
    }
    step("保護者が「卵」とメールアドレスを登録します / the guardian registers egg and her address");
    register(&["--address", ADDRESS])?;
    let mails = post.await_letters(ADDRESS, 1, PATIENCE);
    let text = mails.last().map(|mail| mail.text.clone()).unwrap_or_default();
    let code = text.split(|c: char| !c.is_ascii_digit()).find(|piece| piece.len() == 6).unwrap_or_default();
    let (_, confirmed) = register(&["--code", code])?;
    if !confirmed {
        return Err(wrong("the code that was mailed was not taken"));
    }
    let mails = post.await_letters(ADDRESS, 2, PATIENCE);
    let alert = mails.get(1).ok_or_else(|| wrong("no alert came"))?;
    if !alert.text.contains("鶏卵") {
        return Err(wrong("the alert does not say what is in the lunch"));
    }
    step("届いたメール / the mail that came:");
    say(&format!("\n   件名: {}\n   宛先: {}\n", alert.subject, alert.to));
    alert.text.lines().for_each(|line| say(&format!("   │ {line}")));
    step(&format!("{}（Maildir）", post.maildir().display()));
    Ok(())
}
