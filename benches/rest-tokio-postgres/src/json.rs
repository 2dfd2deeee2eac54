//! Rows to JSON, straight from PostgreSQL's binary form.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use uuid::Uuid;

/// Microseconds from 1970 to 2000, where PostgreSQL begins to count.
const UNIX_TO_POSTGRES: i64 = 946_684_800_000_000;
const MICROS_A_DAY: i64 = 86_400_000_000;
/// Days from 0000-03-01 to 2000-01-01. A year that begins in March has its leap day at its end.
const DAYS_TO_2000: i64 = 730_425;

/// A `timestamptz` as it travels: microseconds since 2000.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(i64);

impl From<DateTime<Utc>> for Instant {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant.timestamp_micros() - UNIX_TO_POSTGRES)
    }
}

impl<'a> FromSql<'a> for Instant {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(i64::from_be_bytes(raw.try_into()?)))
    }

    accepts!(TIMESTAMPTZ);
}

impl ToSql for Instant {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i64(self.0);
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl Instant {
    /// RFC 3339, UTC, six fraction digits. The day's date by counting in spans of 400, 100, 4 and 1 years.
    fn write(self, out: &mut Vec<u8>) {
        let (day, micros) = (self.0.div_euclid(MICROS_A_DAY) + DAYS_TO_2000, self.0.rem_euclid(MICROS_A_DAY));
        let (cycle, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let century = (day / 36_524).min(3);
        let day = day - century * 36_524;
        let (leap_cycle, day) = (day / 1_461, day % 1_461);
        let year_of_four = (day / 365).min(3);
        let day = day - year_of_four * 365;
        let month_from_march = (5 * day + 2) / 153;
        let day_of_month = day - (153 * month_from_march + 2) / 5 + 1;
        let (month, years) = if month_from_march < 10 { (month_from_march + 3, 0) } else { (month_from_march - 9, 1) };
        let year = cycle * 400 + century * 100 + leap_cycle * 4 + year_of_four + years;
        let second = micros / 1_000_000;
        let parts = [
            (b'"', year, 4),
            (b'-', month, 2),
            (b'-', day_of_month, 2),
            (b'T', second / 3_600, 2),
            (b':', second / 60 % 60, 2),
            (b':', second % 60, 2),
            (b'.', micros % 1_000_000, 6),
        ];
        for (separator, number, digits) in parts {
            out.push(separator);
            write_digits(out, number, digits);
        }
        out.extend_from_slice(b"Z\"");
    }
}

fn write_digits(out: &mut Vec<u8>, mut number: i64, digits: usize) {
    let start = out.len();
    out.resize(start + digits, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

/// A page.
pub(crate) fn tasks(rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + rows.len() * 384);
    out.push(b'[');
    for (nth, row) in rows.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        write_task(&mut out, row);
    }
    out.push(b']');
    out
}

/// One task.
pub(crate) fn task(row: &Row) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write_task(&mut out, row);
    out
}

fn write_task(out: &mut Vec<u8>, row: &Row) {
    out.extend_from_slice(br#"{"id":""#);
    out.extend_from_slice(row.get::<_, Uuid>(0).hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    out.extend_from_slice(br#"","title":"#);
    write_text(out, Some(row.get(1)));
    out.extend_from_slice(br#","description":"#);
    write_text(out, row.get(2));
    out.extend_from_slice(if row.get(3) { br#","completed":true"# } else { br#","completed":false"# });
    out.extend_from_slice(br#","priority":"#);
    write_text(out, row.get(4));
    out.extend_from_slice(br#","dueDate":"#);
    match row.get::<_, Option<Instant>>(5) {
        Some(due) => due.write(out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(br#","createdAt":"#);
    row.get::<_, Instant>(6).write(out);
    out.extend_from_slice(br#","updatedAt":"#);
    row.get::<_, Instant>(7).write(out);
    out.push(b'}');
}

fn write_text(out: &mut Vec<u8>, text: Option<&str>) {
    serde_json::to_writer(out, &text).expect("texts can be written to memory");
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;

    use super::*;

    #[test]
    fn an_instant_is_written_as_chrono_writes_it() {
        // A step that is no whole number of days, through leap years and centuries.
        for nth in 0..200_000_i64 {
            let instant = DateTime::from_timestamp_micros(-62_135_596_800_000_000 + nth * 1_577_000_123_457);
            let Some(instant) = instant.filter(|instant| instant.timestamp() < 253_402_300_800) else { break };
            let mut written = Vec::new();
            Instant::from(instant).write(&mut written);
            let expected = format!("\"{}\"", instant.to_rfc3339_opts(SecondsFormat::Micros, true));
            assert_eq!(String::from_utf8(written).as_deref(), Ok(expected.as_str()));
        }
    }
}
