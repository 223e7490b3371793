//! What is sealed: fields one after the other, each with its length.

use hibiki_records::{
    date::CalendarDate,
    person::{PatientFacts, Sex},
};

use super::error::BookError;

/// What is known of a person: always the local number, the facts once they were put.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) local_number: String,
    pub(super) facts: Option<PatientFacts>,
}

/// A record as it is sealed. Category and owner are in the key of its row.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Sealed {
    pub(super) id: String,
    pub(super) date: CalendarDate,
    pub(super) updated_at: Option<u64>,
    pub(super) media_type: String,
    pub(super) content: Vec<u8>,
}

impl Person {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.text(&self.local_number);
        out.optional(self.facts.as_ref(), |out, facts| {
            out.text(&facts.name);
            out.optional(facts.kana.as_ref(), |out, kana| out.text(kana));
            out.text(&facts.matching_name);
            out.text(&facts.birth_date.to_string());
            out.text(facts.sex.code());
        });
        out.0
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BookError> {
        let mut input = Reader(bytes);
        let person = input.person().filter(|_| input.0.is_empty());
        person.ok_or(BookError::Row { what: "a subject" })
    }
}

impl Sealed {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.text(&self.id);
        out.text(&self.date.to_string());
        out.optional(self.updated_at.as_ref(), |out, at| out.0.extend(at.to_be_bytes()));
        out.text(&self.media_type);
        out.bytes(&self.content);
        out.0
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BookError> {
        let mut input = Reader(bytes);
        let record = input.record().filter(|_| input.0.is_empty());
        record.ok_or(BookError::Row { what: "a record" })
    }
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend((bytes.len() as u64).to_be_bytes());
        self.0.extend(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn optional<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn person(&mut self) -> Option<Person> {
        let local_number = self.text()?;
        let facts = match self.is_present()? {
            false => None,
            true => Some(PatientFacts {
                local_number: local_number.clone(),
                name: self.text()?,
                kana: if self.is_present()? { Some(self.text()?) } else { None },
                matching_name: self.text()?,
                birth_date: self.date()?,
                sex: Sex::from_fhir(&self.text()?)?,
            }),
        };
        Some(Person { local_number, facts })
    }

    fn record(&mut self) -> Option<Sealed> {
        Some(Sealed {
            id: self.text()?,
            date: self.date()?,
            updated_at: if self.is_present()? { Some(self.number()?) } else { None },
            media_type: self.text()?,
            content: self.bytes()?.to_vec(),
        })
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    fn is_present(&mut self) -> Option<bool> {
        let (flag, rest) = self.0.split_first()?;
        self.0 = rest;
        [false, true].get(usize::from(*flag)).copied()
    }

    fn bytes(&mut self) -> Option<&[u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        self.bytes().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
    }

    fn date(&mut self) -> Option<CalendarDate> {
        self.text()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    fn date() -> impl Strategy<Value = CalendarDate> {
        (1..=9999_i16, 1..=12_i8, 1..=28_i8).prop_map(|(y, m, d)| CalendarDate::new(y, m, d).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn records_come_back_and_cut_ones_are_refused(
            id in ".{0,20}", date in date(), updated_at in option::of(any::<u64>()), media_type in ".{0,20}",
            content in vec(any::<u8>(), 0..100), cut in any::<prop::sample::Index>(),
        ) {
            let record = Sealed { id, date, updated_at, media_type, content };
            let bytes = record.encode();
            prop_assert!(Sealed::decode(&bytes).unwrap() == record);
            prop_assert!(Sealed::decode(&bytes[..cut.index(bytes.len())]).is_err());
            prop_assert!(Sealed::decode(&[bytes, vec![0]].concat()).is_err());
        }

        #[test]
        fn persons_come_back_and_cut_ones_are_refused(
            local_number in ".{0,20}", name in ".{0,20}", kana in option::of(".{0,20}"), birth_date in date(),
            known in any::<bool>(), cut in any::<prop::sample::Index>(),
        ) {
            let facts = PatientFacts {
                local_number: local_number.clone(), matching_name: name.to_uppercase(), name, kana, birth_date,
                sex: Sex::Female,
            };
            let person = Person { local_number, facts: known.then_some(facts) };
            let bytes = person.encode();
            prop_assert!(Person::decode(&bytes).unwrap() == person);
            prop_assert!(Person::decode(&bytes[..cut.index(bytes.len())]).is_err());
        }

        #[test]
        fn any_bytes_are_taken_without_harm(bytes in vec(any::<u8>(), 0..200)) {
            _ = Sealed::decode(&bytes);
            _ = Person::decode(&bytes);
        }
    }
}
