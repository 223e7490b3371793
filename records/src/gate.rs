//! Arrival and leaving (登下校): a pupil touched the gate's reader.
//!
//! Must not know the pupil, nor how long a touch is kept.

use serde::{Deserialize, Serialize};

use crate::date::CalendarDate;
use crate::fhir::Reason;
use crate::redacted::redacted;
use crate::school::cbor;

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// One touch: content of a record of category `school_gate`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Touch {
    /// The day in Japan.
    pub day: CalendarDate,
    /// Minute of that day, 0 to 1439.
    pub minute: u16,
    /// Which way.
    pub direction: Direction,
}

/// Which way a pupil went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// 登校
    In,
    /// 下校
    Out,
}

redacted!(Touch);

impl Touch {
    /// The time as `8:05`.
    pub fn clock(self) -> String {
        format!("{}:{:02}", self.minute / 60, self.minute % 60)
    }

    /// The content of a record, of media type [`crate::category::SCHOOL_CBOR`].
    ///
    /// # Errors
    /// There is no such minute.
    pub fn to_cbor(&self) -> Result<Vec<u8>, Reason> {
        self.checked()?;
        cbor::write(self)
    }

    /// Reads the content of a record.
    ///
    /// # Errors
    /// It is no touch, or there is no such minute.
    pub fn read(content: &[u8]) -> Result<Self, Reason> {
        cbor::read::<Self>(content)?.checked()
    }

    fn checked(self) -> Result<Self, Reason> {
        if self.minute < DAY_MINUTES { Ok(self) } else { Err(Reason::Impossible("minute")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::category::Category;
    use crate::date::tests::any_day;
    use crate::words::summary;

    #[test]
    fn a_touch_is_told_in_a_line() {
        let touch =
            Touch { day: "2026-04-13".parse().unwrap(), minute: 8 * 60 + 5, direction: Direction::In };
        let line = summary(Category::SchoolGate, &touch.to_cbor().unwrap());
        assert_eq!((line.ja.as_str(), line.en.as_str()), ("登校 8:05", "Arrived at school at 8:05"));
        let touch = Touch { minute: 15 * 60 + 40, direction: Direction::Out, ..touch };
        assert_eq!(summary(Category::SchoolGate, &touch.to_cbor().unwrap()).ja, "下校 15:40");
        assert_eq!(Touch { minute: 1440, ..touch }.to_cbor(), Err(Reason::Impossible("minute")));
        assert_eq!(format!("{touch:?}"), "Touch(***)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_reads_back(day in any_day(), minute in 0u16..1440, out in any::<bool>()) {
            let touch = Touch { day, minute, direction: if out { Direction::Out } else { Direction::In } };
            prop_assert_eq!(Touch::read(&touch.to_cbor().unwrap()), Ok(touch));
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(touch) = Touch::read(&bytes) {
                prop_assert!(touch.minute < 1440);
            }
        }
    }
}
