//! The application against a card that answers by the book, and against cards that do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;

use super::*;

/// A card that answers by the book, and remembers what it was asked.
#[derive(Default)]
struct Book {
    asked: Vec<Vec<u8>>,
    certificate: Vec<u8>,
    tries: u8,
    selected: [u8; 2],
    verified: bool,
}

impl Book {
    fn new() -> Self {
        let mut certificate = vec![0x30, 0x82, 0x05, 0xDC];
        certificate.extend((0..1500).map(|n| (n % 251) as u8));
        Self { certificate, tries: 3, ..Self::default() }
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        match command {
            [0x00, 0xA4, 0x04, 0x0C, 10, aid @ ..] if aid == AID => vec![0x90, 0x00],
            [0x00, 0xA4, 0x02, 0x0C, 2, high, low] => {
                self.selected = [*high, *low];
                vec![0x90, 0x00]
            }
            [0x00, 0xB0, high, low, le] if self.selected == CERTIFICATE => {
                let from = usize::from(u16::from_be_bytes([*high, *low]));
                let length = if *le == 0 { 256 } else { usize::from(*le) };
                let to = (from + length).min(self.certificate.len());
                [self.certificate.get(from..to).unwrap_or_default(), &[0x90, 0x00]].concat()
            }
            [0x00, 0x20, 0x00, 0x80] if self.selected == PIN => vec![0x63, 0xC0 | self.tries],
            [0x00, 0x20, 0x00, 0x80, 4, ..] if self.tries == 0 => vec![0x69, 0x84],
            [0x00, 0x20, 0x00, 0x80, 4, pin @ ..] if pin == b"1234" => {
                self.verified = true;
                self.tries = 3;
                vec![0x90, 0x00]
            }
            [0x00, 0x20, 0x00, 0x80, 4, ..] => {
                self.tries -= 1;
                vec![0x63, 0xC0 | self.tries]
            }
            [0x80, 0x2A, 0x00, 0x80, 51, input @ .., 0x00] if self.verified && self.selected == KEY => {
                let mut block = input.to_vec();
                block.resize(256, 0xAA);
                [block.as_slice(), &[0x90, 0x00]].concat()
            }
            [0x80, 0x2A, ..] => vec![0x69, 0x82],
            _ => vec![0x6D, 0x00],
        }
    }
}

impl Channel for Book {
    fn transmit(&mut self, command: &Command) -> Result<Vec<u8>, CardFault> {
        assert!(command.bytes().len() >= 4, "shorter commands hang some readers");
        self.asked.push(command.bytes().to_vec());
        Ok(self.answer(command.bytes()))
    }
}

fn pin(text: &str) -> Pin {
    Pin::new(text.to_owned())
}

#[test]
fn a_certificate_is_read_whole_and_not_twice() {
    let mut card = Book::new();
    let expected = card.certificate.clone();
    let read = Jpki::select(&mut card).unwrap().unwrap().certificate(None).unwrap();
    assert_eq!(read, expected);
    let reads = |card: &Book| card.asked.iter().filter(|asked| asked[1] == 0xB0).count();
    assert_eq!(reads(&card), 6);
    let again = Jpki::select(&mut card).unwrap().unwrap().certificate(Some(&expected)).unwrap();
    assert_eq!((again, reads(&card)), (expected.clone(), 7), "one block tells that it is the same");
    card.certificate[9] ^= 1;
    let changed = Jpki::select(&mut card).unwrap().unwrap().certificate(Some(&expected)).unwrap();
    assert_ne!(changed, expected, "another card is read anew");
}

#[test]
fn a_signature_is_over_the_message_and_behind_the_pin() {
    let mut card = Book::new();
    let mut verified = Jpki::select(&mut card).unwrap().unwrap().verify(&pin("1234\n")).unwrap();
    let signature = verified.sign(Algorithm::Rsa2048Sha256, b"message").unwrap();
    assert_eq!(signature.get(..51), Some(Algorithm::Rsa2048Sha256.input(b"message").as_slice()));
    assert_eq!(verified.tries_left(), Ok(3));
}

#[test]
fn a_wrong_pin_is_shown_once_and_a_malformed_one_never() {
    let mut card = Book::new();
    let verify = |card: &mut Book, text| Jpki::select(card).unwrap().unwrap().verify(&pin(text)).err();
    let shown = |card: &Book| card.asked.iter().filter(|asked| asked[1] == 0x20 && asked.len() > 4).count();
    for bad in ["12345", "123", "12a4", ""] {
        assert_eq!(verify(&mut card, bad), Some(CardFault::MalformedPin));
    }
    assert_eq!(shown(&card), 0);
    for left in [2, 1, 0] {
        assert_eq!(verify(&mut card, "9999"), Some(CardFault::WrongPin { tries_left: left }));
    }
    assert_eq!(shown(&card), 3, "once each");
    assert_eq!(verify(&mut card, "1234"), Some(CardFault::Blocked));
    assert_eq!(Jpki::select(&mut card).unwrap().unwrap().tries_left(), Ok(0));
}

/// A card that answers every command with the same.
struct Parrot(Vec<u8>);

impl Channel for Parrot {
    fn transmit(&mut self, _: &Command) -> Result<Vec<u8>, CardFault> {
        Ok(self.0.clone())
    }
}

#[test]
fn a_card_without_the_application_is_foreign_and_nonsense_is_named() {
    for status in [[0x6A, 0x82], [0x6D, 0x00], [0x69, 0x99], [0x6E, 0x00]] {
        assert!(Jpki::select(&mut Parrot(status.to_vec())).unwrap().is_none(), "{status:X?}");
    }
    for short in [vec![], vec![0x90]] {
        let fault = Jpki::select(&mut Parrot(short)).err();
        assert_eq!(fault, Some(CardFault::Nonsense(Step::Select)));
    }
    // Says yes to everything, and has nothing.
    let mut card = Parrot(vec![0x90, 0x00]);
    let mut jpki = Jpki::select(&mut card).unwrap().unwrap();
    assert_eq!(jpki.certificate(None), Err(CardFault::NoCertificate));
    let refused = CardFault::Refused { step: Step::Tries, status: StatusWord::OK };
    assert_eq!(jpki.tries_left(), Err(refused));
    let mut verified = jpki.verify(&pin("1234")).unwrap();
    let signed = verified.sign(Algorithm::Rsa2048Sha256, b"m");
    assert_eq!(signed, Err(CardFault::Nonsense(Step::Signature)));
}

/// A card that answers by a script, and then not at all.
struct Script {
    answers: std::vec::IntoIter<Vec<u8>>,
    asked: usize,
}

impl Channel for Script {
    fn transmit(&mut self, _: &Command) -> Result<Vec<u8>, CardFault> {
        self.asked += 1;
        self.answers.next().ok_or(CardFault::Removed)
    }
}

/// A card by the book whose answers are bent from a certain one on.
struct Bent {
    book: Book,
    from: usize,
    bend: Vec<u8>,
    asked: usize,
}

impl Channel for Bent {
    fn transmit(&mut self, command: &Command) -> Result<Vec<u8>, CardFault> {
        let mut answer = self.book.transmit(command)?;
        self.asked += 1;
        if self.asked > self.from {
            match self.bend.split_first() {
                Some((0, rest)) => answer = rest.to_vec(),
                Some((1, _)) => answer.truncate(self.bend.len()),
                Some((_, rest)) => answer.iter_mut().zip(rest).for_each(|(a, b)| *a ^= b),
                None => answer.clear(),
            }
        }
        Ok(answer)
    }
}

/// Everything a login asks of a card.
fn login<C: Channel>(card: &mut C) -> Result<Vec<u8>, CardFault> {
    let mut jpki = Jpki::select(card)?.ok_or(CardFault::NoCard)?;
    jpki.tries_left()?;
    jpki.certificate(None)?;
    jpki.verify(&pin("1234"))?.sign(Algorithm::Rsa2048Sha256, b"message")
}

/// More commands than any honest login needs; what a card that cheats can make us ask is bounded, too.
const COMMANDS_MAX: usize = CERTIFICATE_BYTES_MAX + 16;

proptest! {
    #[test]
    fn random_answers_are_survived(
        answers in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..60),
    ) {
        let mut card = Script { answers: answers.into_iter(), asked: 0 };
        prop_assert!(login(&mut card).is_err());
    }

    /// Answers that say "done" but carry anything: truncated, endless, a byte at a time.
    #[test]
    fn agreeable_answers_are_survived(
        sizes in proptest::collection::vec(0_usize..300, 0..200), fill in any::<u8>(),
    ) {
        let answer = |size: usize| {
            let head = [0x30, 0x82, 0x1F, 0xF0];
            let data: Vec<u8> = head.into_iter().chain(std::iter::repeat(fill)).take(size).collect();
            [data.as_slice(), &[0x90, 0x00]].concat()
        };
        let mut card = Script { answers: sizes.into_iter().map(answer).collect::<Vec<_>>().into_iter(), asked: 0 };
        let _ = login(&mut card);
        prop_assert!(card.asked <= COMMANDS_MAX);
    }

    #[test]
    fn bent_answers_are_survived(from in 0_usize..16, bend in proptest::collection::vec(any::<u8>(), 0..260)) {
        let mut card = Bent { book: Book::new(), from, bend, asked: 0 };
        let _ = login(&mut card);
        prop_assert!(card.asked <= COMMANDS_MAX);
        prop_assert!(card.book.tries >= 2, "the PIN was right, and shown once at most");
    }
}
