//! The `DateTime` scalar.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as ChronoDateTime, Datelike, Timelike, Utc};

use crate::domain::Instant;

/// An instant as clients write and read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::graphql) struct DateTime(pub(in crate::graphql) Instant);

impl DateTime {
    /// What a client should have written.
    pub(in crate::graphql) const EXPECTED: &str =
        "a date and time with its offset and at most six fraction digits (RFC 3339), such as 2026-12-31T18:00:00Z";

    /// Reads RFC 3339, section 5.6, with at most six fraction digits, or more where these are zeros, and no leap second, of
    /// the years 0001 to 9999 in UTC.
    pub(in crate::graphql) fn parse_text(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let separator_is_t = matches!(bytes.get(10), Some(b'T' | b't'));
        let fraction = text.get(19..)?.strip_prefix('.').unwrap_or_default();
        let is_finer = fraction.bytes().take_while(u8::is_ascii_digit).skip(6).any(|digit| digit != b'0');
        if !separator_is_t || is_finer || !text.is_ascii() {
            return None;
        }
        let instant = ChronoDateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
        let is_leap_second = instant.nanosecond() >= 1_000_000_000;
        ((1..=9999).contains(&instant.year()) && !is_leap_second).then_some(Self(instant))
    }

    /// Always UTC, six fraction digits and a Z.
    pub(in crate::graphql) fn to_text(self) -> String {
        let mut text = String::with_capacity(27);
        self.write(&mut text);
        text
    }

    /// The same, at the end of `text`. By hand, since it is written several times for each task of a page.
    pub(in crate::graphql) fn write(self, text: &mut String) {
        let Self(instant) = self;
        let year = instant.year().unsigned_abs();
        for (value, digits, after) in [
            (year, 4, '-'),
            (instant.month(), 2, '-'),
            (instant.day(), 2, 'T'),
            (instant.hour(), 2, ':'),
            (instant.minute(), 2, ':'),
            (instant.second(), 2, '.'),
            (instant.nanosecond() / 1_000 % 1_000_000, 6, 'Z'),
        ] {
            let mut divisor = 10_u32.pow(digits - 1);
            while divisor > 0 {
                text.push(char::from_digit(value / divisor % 10, 10).unwrap_or('0'));
                divisor /= 10;
            }
            text.push(after);
        }
    }
}

/// An instant, RFC 3339, of the years 0001 to 9999. Input may carry any offset and up to six fraction digits (more
/// where these are zeros); output is always UTC, with exactly six fraction digits and a Z.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/chillicream/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                Self::parse_text(text).ok_or_else(|| InputValueError::custom(format!("expected {}", Self::EXPECTED)))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn is_valid(value: &Value) -> bool {
        matches!(value, Value::String(text) if Self::parse_text(text).is_some())
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_text())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        DateTime::parse_text(text).map(DateTime::to_text)
    }

    #[test]
    fn any_offset_comes_back_as_utc_with_six_digits() {
        for (written, expected) in [
            ("2026-11-20T13:14:15Z", "2026-11-20T13:14:15.000000Z"),
            ("2026-11-20t13:14:15.1z", "2026-11-20T13:14:15.100000Z"),
            ("2026-11-20T13:14:15.123456+05:30", "2026-11-20T07:44:15.123456Z"),
            ("2026-11-20T00:00:00-00:00", "2026-11-20T00:00:00.000000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
            ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000Z"),
            // .NET, Go and Java write more digits than microseconds have.
            ("2026-01-01T00:00:00.0000000Z", "2026-01-01T00:00:00.000000Z"),
            ("2026-01-01T00:00:00.123456000Z", "2026-01-01T00:00:00.123456Z"),
            ("2026-01-01T00:00:00.12345600000000000000+01:00", "2025-12-31T23:00:00.123456Z"),
        ] {
            assert_eq!(read(written).as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20 13:14:15Z",
            "2026-11-20T13:14:15",
            "2026-11-20T13:14Z",
            "2026-11-20T13:14:15.1234567Z",
            "2026-11-20T13:14:15.0000001Z",
            "2026-11-20T13:14:15.0000000000001Z",
            "2026-11-20T13:14:15.Z",
            "2026-11-20T13:14:15,5Z",
            "2026-02-30T00:00:00Z",
            "2026-11-20T24:00:00Z",
            "2026-11-20T23:59:60Z",
            "2026-11-20T13:14:15+0530",
            "2026-11-20T13:14:15 Z",
            " 2026-11-20T13:14:15Z",
            "+2026-11-20T13:14:15Z",
            "0000-12-31T23:59:59Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "12026-11-20T13:14:15Z",
            "２０２６-11-20T13:14:15Z",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,40}") {
            let _may_be_none = DateTime::parse_text(&text);
        }

        #[test]
        fn what_is_written_is_read_again(micros in -62_135_596_800_000_000_i64..=253_402_300_799_999_999) {
            let written = DateTime(ChronoDateTime::from_timestamp_micros(micros).expect("in range")).to_text();
            prop_assert_eq!(read(&written), Some(written));
        }
    }
}
