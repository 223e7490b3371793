#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::thread;

use hibiki_records::{category::FHIR_JSON, date::CalendarDate, fhir::reference::Subject, person::Sex};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    env::SystemEntropy,
    store::{Batch, MemoryStore, SCAN_ROWS_MAX, SledOptions, SledStore},
};

struct World {
    store: MemoryStore,
    keys: Arc<KeyRing>,
}

impl World {
    fn new() -> Self {
        Self { store: MemoryStore::new(), keys: Arc::new(KeyRing::in_memory(Arc::new(SystemEntropy))) }
    }

    async fn book(&self) -> RecordBook {
        let store: Arc<dyn Store> = Arc::new(self.store.clone());
        RecordBook::open(Arc::clone(&store), Committer::inline(store), Arc::clone(&self.keys)).await.unwrap()
    }
}

fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

fn person(number: &str) -> Entry {
    Entry::Person(facts(number))
}

fn facts(number: &str) -> PatientFacts {
    PatientFacts {
        local_number: number.to_owned(),
        name: "前橋 ひびき".to_owned(),
        kana: Some("マエバシ ヒビキ".to_owned()),
        matching_name: "マエバシヒビキ".to_owned(),
        birth_date: day("2019-05-01"),
        sex: Sex::Female,
    }
}

fn record(number: &str, id: &str, date: &str, content: &str) -> IngestRecord {
    IngestRecord {
        category: Category::Immunization,
        subject: Subject::Person(number.to_owned()),
        id: id.to_owned(),
        date: day(date),
        updated_at: None,
        media_type: FHIR_JSON,
        content: content.as_bytes().to_vec(),
    }
}

fn notice(class: &str, id: &str, date: &str) -> IngestRecord {
    let subject = Subject::Group(class.to_owned());
    IngestRecord {
        category: Category::SchoolNotice, subject, ..record("", id, date, "遠足のお知らせ")
    }
}

fn read(book: &RecordBook, number: &str) -> Vec<(String, String, bool)> {
    let Some(subject) = book.find_by_local_number(number).unwrap() else { return vec![] };
    let reading = book.read(subject, &Category::ALL, None, ReadLimit::default()).unwrap();
    assert!(!reading.truncated);
    let brief =
        |record: StoredRecord| (record.id, String::from_utf8(record.content).unwrap(), record.from_group);
    reading.records.into_iter().map(brief).collect()
}

fn ids(records: &[StoredRecord]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

#[tokio::test]
async fn putting_the_same_again_changes_nothing() {
    let world = World::new();
    let book = world.book().await;
    let entries = vec![
        person("0001"),
        Entry::Record(record("0001", "Immunization/a", "2020-01-02", "BCG")),
        Entry::Record(record("0001", "Immunization/b", "2020-02-03", "DPT")),
        Entry::Group { id: "3-2".to_owned(), members: vec!["0001".to_owned(), "0002".to_owned()] },
        Entry::Record(notice("3-2", "n1", "2024-04-01")),
    ];
    assert_eq!(book.put_batch(entries.clone()).await.unwrap(), [PutOutcome::Added; 5]);
    let commits = world.store.stats().commits;
    assert_eq!(book.put_batch(entries).await.unwrap(), [PutOutcome::Unchanged; 5]);
    assert_eq!(world.store.stats().commits, commits, "nothing was written");
    let counts = book.counts().unwrap();
    assert_eq!((counts.subjects, counts.groups), (2, 1));
    assert_eq!(counts.records, BTreeMap::from([(Category::Immunization, 2), (Category::SchoolNotice, 1)]));
    assert_eq!(
        read(&book, "0001"),
        [
            ("n1".to_owned(), "遠足のお知らせ".to_owned(), true),
            ("Immunization/b".to_owned(), "DPT".to_owned(), false),
            ("Immunization/a".to_owned(), "BCG".to_owned(), false),
        ]
    );
    assert_eq!(read(&book, "0002").len(), 1, "a member without facts sees the class's notice");
    let subject = book.find_by_local_number("0001").unwrap().unwrap();
    assert_eq!(book.facts(subject).unwrap(), Some(facts("0001")));
    assert_eq!(book.local_number(subject).unwrap(), "0001");
}

#[tokio::test]
async fn a_corrected_record_replaces_and_an_older_one_does_not() {
    let book = World::new().book().await;
    let at = |date: &str, content: &str, updated_at| {
        vec![Entry::Record(IngestRecord { updated_at, ..record("1", "a", date, content) })]
    };
    for (entry, outcome, content) in [
        (at("2020-01-02", "v1", Some(1_000)), PutOutcome::Added, "v1"),
        (at("2020-01-02", "v2", Some(2_000)), PutOutcome::Replaced, "v2"),
        (at("2020-01-02", "v1", Some(1_000)), PutOutcome::Older, "v2"),
        (at("2020-01-02", "v2", Some(9_000)), PutOutcome::Unchanged, "v2"),
        (at("2020-01-03", "v2", Some(2_000)), PutOutcome::Replaced, "v2"),
        (at("2020-01-03", "v3", Some(2_000)), PutOutcome::Replaced, "v3"),
        (at("2020-01-03", "v4", None), PutOutcome::Replaced, "v4"),
    ] {
        assert_eq!(book.put_batch(entry).await.unwrap(), [outcome]);
        assert_eq!(read(&book, "1"), [("a".to_owned(), content.to_owned(), false)]);
    }
    assert_eq!(book.counts().unwrap().records[&Category::Immunization], 1);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_alone() {
    let book = World::new().book().await;
    let mut large = record("1", "large", "2020-01-01", "");
    large.content = vec![b'x'; CONTENT_BYTES_MAX + 1];
    let mut largest = record("1", "largest", "2020-01-01", "");
    largest.content = vec![b'x'; CONTENT_BYTES_MAX];
    let misdirected =
        IngestRecord { subject: Subject::Group("3-2".to_owned()), ..record("", "m", "2020-01-01", "") };
    let outcomes = book.put_batch(vec![
        Entry::Record(large),
        Entry::Record(record("", "nobody", "2020-01-01", "")),
        Entry::Record(record("1", "", "2020-01-01", "")),
        Entry::Record(record(&"9".repeat(NAME_BYTES_MAX + 1), "a", "2020-01-01", "")),
        Entry::Record(misdirected),
        Entry::Group { id: "g".to_owned(), members: vec![String::new()] },
        Entry::Record(largest),
    ]);
    use PutOutcome::{Added, Refused};
    assert_eq!(
        outcomes.await.unwrap(),
        [
            Refused(Refusal::ContentTooLarge),
            Refused(Refusal::BadId),
            Refused(Refusal::BadId),
            Refused(Refusal::BadId),
            Refused(Refusal::NotForGroups),
            Refused(Refusal::BadId),
            Added,
        ]
    );
    let counts = book.counts().unwrap();
    assert_eq!((counts.subjects, counts.groups), (1, 0), "refused entries enter nobody");
    assert_eq!(read(&book, "1").len(), 1);

    let many = (0..=PUT_ENTRIES_MAX).map(|i| person(&i.to_string())).collect();
    assert!(matches!(book.put_batch(many).await, Err(BookError::TooMuch { .. })));
}

#[tokio::test]
async fn the_largest_batch_fits_into_one_commit() {
    let book = World::new().book().await;
    let class = |range: std::ops::Range<usize>| Entry::Group {
        id: "school".to_owned(),
        members: range.map(|i| i.to_string()).collect(),
    };
    let first = book.put_batch(vec![class(0..PUT_ENTRIES_MAX - 1)]).await.unwrap();
    assert_eq!(first, [PutOutcome::Added]);
    // Everybody leaves, and as many nobody knows yet come.
    let second = book.put_batch(vec![class(10_000..10_000 + PUT_ENTRIES_MAX - 1)]).await.unwrap();
    assert_eq!(second, [PutOutcome::Replaced]);
    assert_eq!(book.counts().unwrap().subjects, 2 * (PUT_ENTRIES_MAX as u64 - 1));
}

#[tokio::test]
async fn a_reading_is_newest_first_from_a_day_on_and_bounded() {
    let book = World::new().book().await;
    let entries = (1..=28).map(|d| {
        let date = format!("2021-0{}-{d:02}", 1 + d % 3);
        Entry::Record(record("1", &format!("r{d}"), &date, "0123456789"))
    });
    book.put_batch(entries.collect()).await.unwrap();
    let subject = book.find_by_local_number("1").unwrap().unwrap();
    let read = |since: Option<&str>, records, bytes| {
        let limit = ReadLimit { records, bytes };
        book.read(subject, &[Category::Immunization], since.map(day), limit).unwrap()
    };
    let all = read(None, 100, 1_000);
    assert_eq!((all.records.len(), all.truncated), (28, false));
    assert!(all.records.is_sorted_by(|a, b| a.date >= b.date));
    let march = read(Some("2021-03-01"), 100, 1_000);
    assert_eq!(ids(&march.records), ids(&all.records[..9]));
    assert!(!march.truncated);
    let five = read(None, 5, 1_000);
    assert_eq!((ids(&five.records), five.truncated), (ids(&all.records[..5]), true));
    let bytes = read(None, 100, 39);
    assert_eq!((ids(&bytes.records), bytes.truncated), (ids(&all.records[..3]), true));
    let other = book.read(subject, &[Category::Growth], None, ReadLimit::default()).unwrap();
    assert_eq!(other, Reading::default());
    let unknown = SubjectId::from_bytes([9; 16]);
    assert_eq!(book.read(unknown, &Category::ALL, None, ReadLimit::default()).unwrap(), Reading::default());
}

#[tokio::test]
async fn many_records_are_trimmed_while_reading() {
    let book = World::new().book().await;
    let start = day("2000-01-01");
    let entries = (0..900).map(|i| IngestRecord {
        date: start.plus_days(i).unwrap(),
        ..record("1", &i.to_string(), "2000-01-01", "x")
    });
    book.put_batch(entries.map(Entry::Record).collect()).await.unwrap();
    let subject = book.find_by_local_number("1").unwrap().unwrap();
    let limit = ReadLimit { records: 3, bytes: 100 };
    let reading = book.read(subject, &[Category::Immunization], None, limit).unwrap();
    assert_eq!((ids(&reading.records), reading.truncated), (vec!["899", "898", "897"], true));
}

/// Everything the store holds, as bytes.
fn dump(store: &MemoryStore) -> Vec<u8> {
    let view = store.snapshot().unwrap();
    let mut all = Vec::new();
    for keyspace in Keyspace::ALL {
        for (key, value) in view.scan(*keyspace, b"", None, SCAN_ROWS_MAX).unwrap() {
            all.extend(key);
            all.extend(value);
        }
    }
    all
}

#[tokio::test]
async fn nothing_personal_stands_in_the_clear() {
    let world = World::new();
    let book = world.book().await;
    let entries = vec![
        person("PATIENT-4711"),
        Entry::Record(record("PATIENT-4711", "Immunization/SOURCE-1", "2020-03-04", "CONTENT-CANARY")),
        Entry::Group { id: "CLASS-3-2".to_owned(), members: vec!["PATIENT-4711".to_owned()] },
        Entry::Record(notice("CLASS-3-2", "NOTICE-9", "2024-05-06")),
    ];
    book.put_batch(entries).await.unwrap();
    let stored = dump(&world.store);
    assert!(stored.windows(12).any(|window| window == b"immunization"), "the search finds what is there");
    for canary in [
        "PATIENT-4711",
        "SOURCE-1",
        "2020-03-04",
        "CONTENT-CANARY",
        "CLASS-3-2",
        "NOTICE-9",
        "2024-05-06",
        "前橋",
        "マエバシ",
        "2019-05-01",
        "female",
        "遠足",
        "4711",
    ] {
        let canary = canary.as_bytes();
        assert!(!stored.windows(canary.len()).any(|window| window == canary), "{canary:?}");
    }
    let subject = book.find_by_local_number("PATIENT-4711").unwrap().unwrap();
    let debug = format!("{subject:?} {:?}", book.all_subjects(None, 10).unwrap());
    assert!(debug.contains("***") && !debug.contains("4711"));
}

#[tokio::test]
async fn rows_cannot_be_exchanged() {
    let world = World::new();
    let book = world.book().await;
    let put = |number: &str, id: &str| Entry::Record(record(number, id, "2020-01-01", "x"));
    book.put_batch(vec![put("1", "a"), put("1", "b"), put("2", "a")]).await.unwrap();
    let view = world.store.snapshot().unwrap();
    let rows = view.scan(Keyspace::Records, b"", None, 10).unwrap();
    for (from, to) in [(0, 1), (1, 2), (2, 0)] {
        let mut swap = Batch::new();
        swap.put(Keyspace::Records, rows[to].0.clone(), rows[from].1.clone());
        let forged = World { store: MemoryStore::new(), keys: Arc::clone(&world.keys) };
        forged.store.commit(&swap).unwrap();
        let forged = forged.book().await;
        let owner = SubjectId::from_bytes(rows[to].0[..16].try_into().unwrap());
        let error = forged.read(owner, &Category::ALL, None, ReadLimit::default()).unwrap_err();
        assert_eq!(error, BookError::Keys(crate::keyring::KeyError::NotAuthentic));
    }
}

#[tokio::test]
async fn erasing_leaves_nothing_and_others_alone() {
    let world = World::new();
    let book = world.book().await;
    let mut entries = vec![person("1"), person("2"), Entry::Record(record("2", "a", "2020-01-01", "stays"))];
    entries.extend((0..1_200).map(|i| Entry::Record(record("1", &i.to_string(), "2020-01-01", "goes"))));
    entries.push(Entry::Group { id: "3-2".to_owned(), members: vec!["1".to_owned(), "2".to_owned()] });
    book.put_batch(entries).await.unwrap();
    let subject = book.find_by_local_number("1").unwrap().unwrap();
    assert!(book.erase(subject).await.unwrap());
    assert!(!book.erase(subject).await.unwrap(), "repeating is no error");
    assert!(!world.keys.contains(subject.key()));
    assert_eq!(book.find_by_local_number("1").unwrap(), None);
    let counts = book.counts().unwrap();
    assert_eq!((counts.subjects, counts.records[&Category::Immunization]), (1, 1));
    let stored = dump(&world.store);
    assert!(!stored.windows(16).any(|window| window == subject.as_bytes()), "a row of the erased is left");
    assert_eq!(read(&book, "2").len(), 1);
    // The same number may come again; it is somebody new.
    book.put_batch(vec![person("1")]).await.unwrap();
    assert_ne!(book.find_by_local_number("1").unwrap().unwrap(), subject);
    assert_eq!(read(&book, "1"), []);
}

#[tokio::test]
async fn an_interrupted_erasure_is_finished_at_the_next_start() {
    let world = World::new();
    let book = world.book().await;
    let entries = vec![person("1"), Entry::Record(record("1", "a", "2020-01-01", "x")), person("2")];
    book.put_batch(entries).await.unwrap();
    let subject = book.find_by_local_number("1").unwrap().unwrap();
    // The process ends after the key was destroyed and before any row was removed.
    let mut intent = Batch::new();
    intent.put(Keyspace::Meta, [layout::ERASING, subject.as_bytes()].concat(), []);
    world.store.commit(&intent).unwrap();
    world.keys.destroy(subject.key()).unwrap();
    let listed = book.all_subjects(None, 10).unwrap();
    assert_eq!(listed.iter().filter(|(_, facts)| facts.is_none()).count(), 1, "listing does not fail");
    assert_eq!(read(&book, "1"), []);
    assert_eq!(book.facts(subject).unwrap(), None);
    assert_eq!(book.local_number(subject), Err(BookError::NoSuchSubject));
    let book = world.book().await;
    assert_eq!(book.find_by_local_number("1").unwrap(), None);
    let counts = book.counts().unwrap();
    assert_eq!((counts.subjects, counts.records), (1, BTreeMap::new()));
    assert!(!dump(&world.store).windows(16).any(|window| window == subject.as_bytes()));
}

#[tokio::test]
async fn a_half_erased_subject_does_not_block_an_import() {
    let world = World::new();
    let book = world.book().await;
    book.put_batch(vec![person("1"), person("2")]).await.unwrap();
    let subject = book.find_by_local_number("1").unwrap().unwrap();
    let mut intent = Batch::new();
    intent.put(Keyspace::Meta, layout::erasing(subject.key()), []);
    world.store.commit(&intent).unwrap();
    world.keys.destroy(subject.key()).unwrap();
    let outcomes = book.put_batch(vec![person("1"), person("2")]).await.unwrap();
    assert_eq!(outcomes, [PutOutcome::Added, PutOutcome::Unchanged]);
    assert_ne!(book.find_by_local_number("1").unwrap().unwrap(), subject);
    assert_eq!(book.counts().unwrap().subjects, 2);
}

#[tokio::test]
async fn a_lost_key_is_an_error_and_never_an_empty_record() {
    let world = World::new();
    let book = world.book().await;
    book.put_batch(vec![Entry::Record(record("1", "a", "2020-01-01", "x"))]).await.unwrap();
    let subject = book.find_by_local_number("1").unwrap().unwrap();
    world.keys.destroy(subject.key()).unwrap();
    let error = book.read(subject, &Category::ALL, None, ReadLimit::default()).unwrap_err();
    assert_eq!(error, BookError::Keys(crate::keyring::KeyError::NoSuchKey));
}

#[tokio::test]
async fn another_keyring_is_refused() {
    let world = World::new();
    drop(world.book().await);
    drop(world.book().await);
    let store: Arc<dyn Store> = Arc::new(world.store.clone());
    let other = Arc::new(KeyRing::in_memory(Arc::new(SystemEntropy)));
    let refused = RecordBook::open(Arc::clone(&store), Committer::inline(store), other).await;
    assert_eq!(refused.err(), Some(BookError::OtherKeyRing));
}

#[tokio::test]
async fn a_full_disk_piles_up_no_keys() {
    let world = World::new();
    let book = world.book().await;
    world.store.set_low_space(true);
    for _ in 0..3 {
        let error = book.put_batch(vec![person("1"), person("2")]).await.unwrap_err();
        assert!(matches!(error, BookError::Store(StoreError::NoSpace { .. })));
        assert_eq!(world.keys.counts().0, 0);
    }
    world.store.set_low_space(false);
    book.put_batch(vec![person("1"), person("2")]).await.unwrap();
    assert_eq!(world.keys.counts().0, 2);
    // Erasing protects somebody: it works on a full disk, too.
    world.store.set_low_space(true);
    assert!(book.erase(book.find_by_local_number("1").unwrap().unwrap()).await.unwrap());
}

#[tokio::test]
async fn subjects_are_listed_in_pages() {
    let book = World::new().book().await;
    book.put_batch((0..25).map(|i| person(&i.to_string())).collect()).await.unwrap();
    let mut numbers = Vec::new();
    let mut after = None;
    loop {
        let page = book.all_subjects(after, 10).unwrap();
        numbers.extend(page.iter().map(|(_, facts)| facts.as_ref().unwrap().local_number.clone()));
        after = page.last().map(|(id, _)| *id);
        if page.len() < 10 {
            break;
        }
    }
    numbers.sort_by_key(|number| number.parse::<u32>().unwrap());
    assert_eq!(numbers, (0..25).map(|i| i.to_string()).collect::<Vec<_>>());
}

#[test]
fn two_processes_over_one_store_agree() {
    let world = World::new();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    let book = world.book().await;
                    for i in 0..60 {
                        let entries = || {
                            let content = Entry::Record(record(
                                &(i % 7).to_string(),
                                &i.to_string(),
                                "2020-01-01",
                                "x",
                            ));
                            vec![person(&i.to_string()), content]
                        };
                        while let Err(error) = book.put_batch(entries()).await {
                            assert_eq!(error, BookError::Store(StoreError::Conflict));
                        }
                    }
                });
            });
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let counts = runtime.block_on(world.book()).counts().unwrap();
    assert_eq!((counts.subjects, counts.records[&Category::Immunization]), (60, 60));
    assert_eq!(world.keys.counts().0, 60, "keys made for an attempt that lost were destroyed");
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = async || {
        let options = SledOptions { reserve_bytes: 0, ..SledOptions::new(dir.path().join("store")) };
        let store: Arc<dyn Store> = Arc::new(SledStore::open(options).unwrap());
        let keys = KeyRing::open(&dir.path().join("keyring"), &[7; 32], Arc::new(SystemEntropy)).unwrap();
        let committer = Committer::start(Arc::clone(&store)).unwrap();
        RecordBook::open(store, committer, Arc::new(keys)).await.unwrap()
    };
    let book = open().await;
    let entries = vec![person("1"), Entry::Record(record("1", "a", "2020-01-01", &"long ".repeat(50_000)))];
    // Spawned, because the daemon does so: the future must be able to move between threads.
    let (book, outcomes) = tokio::spawn(async move {
        let outcomes = book.put_batch(entries).await;
        (book, outcomes)
    })
    .await
    .unwrap();
    assert_eq!(outcomes.unwrap(), [PutOutcome::Added; 2]);
    book.committer.close().await;
    drop(book);
    let book = open().await;
    assert_eq!(read(&book, "1")[0].1.len(), 250_000);
    let subject = book.find_by_local_number("1").unwrap().unwrap();
    assert!(book.erase(subject).await.unwrap());
    book.committer.close().await;
    drop(book);
    assert_eq!(open().await.counts().unwrap(), Counts::default());
}

#[derive(Clone, Debug)]
enum Step {
    Put(Vec<(u8, u8, u8, Option<u8>)>),
    Class(u8, BTreeSet<u8>),
    Erase(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => vec((0..4_u8, 0..4_u8, 0..3_u8, proptest::option::of(0..4_u8)), 1..6).prop_map(Step::Put),
        1 => (0..2_u8, proptest::collection::btree_set(0..4_u8, 0..4)).prop_map(|(c, m)| Step::Class(c, m)),
        1 => (0..4_u8).prop_map(Step::Erase),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any order of puts, class lists and erasures ends with exactly what a simple model says.
    #[test]
    fn the_book_agrees_with_a_model(steps in vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let book = World::new().book().await;
            let mut records: BTreeMap<(u8, u8), (u8, Option<u8>)> = BTreeMap::new();
            let mut known: BTreeSet<u8> = BTreeSet::new();
            for step in steps {
                match step {
                    Step::Put(puts) => {
                        let entries = puts.iter().map(|(owner, id, content, at)| {
                            let updated_at = at.map(u64::from);
                            let plain = record(&owner.to_string(), &id.to_string(), "2020-01-01", &content.to_string());
                            Entry::Record(IngestRecord { updated_at, ..plain })
                        });
                        let outcomes = book.put_batch(entries.collect()).await.unwrap();
                        for ((owner, id, content, at), outcome) in puts.into_iter().zip(outcomes) {
                            known.insert(owner);
                            let expected = match records.get(&(owner, id)) {
                                None => PutOutcome::Added,
                                Some((present, _)) if *present == content => PutOutcome::Unchanged,
                                Some((_, Some(present))) if at.is_some_and(|at| at < *present) => PutOutcome::Older,
                                Some(_) => PutOutcome::Replaced,
                            };
                            assert_eq!(outcome, expected);
                            if matches!(outcome, PutOutcome::Added | PutOutcome::Replaced) {
                                records.insert((owner, id), (content, at));
                            }
                        }
                    }
                    Step::Class(class, members) => {
                        known.extend(&members);
                        let members = members.iter().map(u8::to_string).collect();
                        book.put_batch(vec![Entry::Group { id: class.to_string(), members }]).await.unwrap();
                    }
                    Step::Erase(owner) => {
                        if let Some(subject) = book.find_by_local_number(&owner.to_string()).unwrap() {
                            assert!(book.erase(subject).await.unwrap());
                        }
                        known.remove(&owner);
                        records.retain(|(of, _), _| *of != owner);
                    }
                }
                for owner in 0..4 {
                    let mut found: Vec<_> =
                        read(&book, &owner.to_string()).into_iter().map(|(id, content, _)| (id, content)).collect();
                    found.sort();
                    let wanted: Vec<_> = records.range((owner, 0)..=(owner, u8::MAX))
                        .map(|((_, id), (content, _))| (id.to_string(), content.to_string()))
                        .collect();
                    assert_eq!(found, wanted);
                }
                let counts = book.counts().unwrap();
                assert_eq!(counts.subjects, known.len() as u64);
                assert_eq!(counts.records.values().sum::<u64>(), records.len() as u64);
            }
        });
    }
}

#[tokio::test]
async fn groups_and_numbers_are_listed_without_those_who_were_erased() {
    let world = World::new();
    let book = world.book().await;
    let numbers: Vec<String> = (0..SCAN_ROWS_MAX + 20).map(|n| format!("{n:05}")).collect();
    let group = |id: &str, members: &[String]| Entry::Group { id: id.to_owned(), members: members.to_vec() };
    book.put_batch(vec![group("3-1", &numbers), group("3-2", &[]), group("合唱", &numbers[..2])])
        .await
        .unwrap();
    let subject = |number: &str| book.find_by_local_number(number).unwrap().unwrap();
    let groups = book.groups().unwrap();
    let sizes: Vec<(&str, usize)> = groups.iter().map(|(id, members)| (id.as_str(), members.len())).collect();
    assert_eq!(sizes, [("3-1", numbers.len()), ("3-2", 0), ("合唱", 2)], "over pages, and empty ones");
    assert!(groups["合唱"].contains(&subject("00000")) && !groups["合唱"].contains(&subject("00002")));
    let mut names = book.groups_of(subject("00001")).unwrap();
    names.sort();
    assert_eq!(names, ["3-1", "合唱"]);
    let listed: Vec<String> = book.local_numbers().unwrap().into_values().collect();
    assert_eq!(BTreeSet::from_iter(&listed), BTreeSet::from_iter(&numbers));

    let (erased, half) = (subject("00000"), subject("00001"));
    book.erase(erased).await.unwrap();
    world.keys.destroy(half.key()).unwrap();
    assert_eq!(book.groups_of(erased).unwrap(), Vec::<String>::new());
    assert_eq!(book.groups().unwrap()["合唱"], []);
    let left = book.local_numbers().unwrap();
    assert_eq!(
        (left.len(), left.contains_key(&erased), left.contains_key(&half)),
        (numbers.len() - 2, false, false)
    );
}
