//! A child came through the school's gate, or left by it: content of a record of category `school_gate`.

use serde::{Deserialize, Serialize};

use crate::category::Label;
use crate::cbor;
use crate::date::CalendarDate;
use crate::fhir::Reason;
use crate::redacted::redacted;

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// One touch at the gate.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Touch {
    /// The day in Japan.
    pub day: CalendarDate,
    /// Minute of the day in Japan, 0 to 1439.
    pub minute: u16,
    /// Which way.
    pub direction: Direction,
}

/// Which way a child went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// 登校
    In,
    /// 下校
    Out,
}

redacted!(Touch);

impl Direction {
    /// What a guardian reads.
    pub const fn label(self) -> Label {
        match self {
            Self::In => Label { ja: "登校", en: "Arrived" },
            Self::Out => Label { ja: "下校", en: "Left" },
        }
    }
}

impl Touch {
    /// The time as `07:52`.
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}", self.minute / 60, self.minute % 60)
    }

    /// As the content of a record.
    pub fn to_cbor(&self) -> Vec<u8> {
        cbor::write(self).unwrap_or_default()
    }

    /// Reads the content of a record.
    ///
    /// # Errors
    /// It is none, or not a minute of a day.
    pub fn read(content: &[u8]) -> Result<Self, Reason> {
        let touch: Self = cbor::read(content, "gate")?;
        if touch.minute < DAY_MINUTES { Ok(touch) } else { Err(Reason::Malformed("minute")) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_touch_is_read_as_it_was_written() {
        let touch = Touch { day: "2026-11-26".parse().unwrap(), minute: 472, direction: Direction::In };
        assert_eq!(Touch::read(&touch.to_cbor()), Ok(touch.clone()));
        assert_eq!(touch.clock(), "07:52");
        let never = Touch { minute: 1440, ..touch };
        assert_eq!(Touch::read(&never.to_cbor()), Err(Reason::Malformed("minute")));
    }

    proptest! {
        #[test]
        fn bytes_from_anywhere_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Touch::read(&bytes);
        }
    }
}
