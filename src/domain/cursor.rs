//! Cursors: the place of one row in one order, opaque to clients. A cursor holds the order, the row's key in it and the
//! row's id, so that it stays good when the row has changed or gone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike};
use uuid::Uuid;

use super::Instant;
use crate::database::{Cell, ColumnKind};

/// The form of the bytes below; a new form gets a new number.
const FORM: u8 = 1;
/// Most characters that are looked at: above what the longest title gives.
const MAX_LENGTH: usize = 4_096;

/// A place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Which order, and in which direction.
    pub(super) order: u8,
    pub(super) key: Key,
    pub(super) id: Uuid,
}

/// What a row is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Instant(Instant),
    Text(String),
    /// It has none.
    Absent,
}

impl Key {
    /// The key that a cell holds; nothing for a cell by which nothing is sorted.
    pub(super) fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(Self::Absent),
            Cell::Instant(instant) => Some(Self::Instant(instant)),
            Cell::Text(text) => Some(Self::Text(text.to_owned())),
            Cell::Bool(_) | Cell::Int(_) | Cell::Uuid(_) => None,
        }
    }

    /// Whether a column of this kind can hold it.
    pub(super) fn fits(&self, kind: ColumnKind, is_nullable: bool) -> bool {
        match self {
            Self::Absent => is_nullable,
            Self::Instant(_) => kind == ColumnKind::Instant,
            Self::Text(_) => kind == ColumnKind::Text,
        }
    }
}

impl Cursor {
    /// The cursor as clients see it: base64url of form, order, kind of key, the id's 16 bytes, the key.
    pub(super) fn encode(&self) -> String {
        let mut bytes = vec![FORM, self.order];
        bytes.push(match self.key {
            Key::Absent => 0,
            Key::Instant(_) => 1,
            Key::Text(_) => 2,
        });
        bytes.extend(self.id.as_bytes());
        match &self.key {
            Key::Absent => {}
            Key::Instant(instant) => bytes.extend(instant.timestamp_micros().to_be_bytes()),
            Key::Text(text) => bytes.extend(text.as_bytes()),
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor; `None` for whatever [`encode`](Self::encode) cannot have made.
    pub(super) fn decode(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let [form, order, kind, rest @ ..] = bytes.as_slice() else { return None };
        let (id, key) = rest.split_first_chunk::<16>()?;
        let key = match kind {
            0 if key.is_empty() => Key::Absent,
            1 => Key::Instant(instant(key)?),
            2 => Key::Text(text_key(key)?),
            _ => return None,
        };
        (*form == FORM).then_some(Self { order: *order, key, id: Uuid::from_bytes(*id) })
    }
}

fn instant(bytes: &[u8]) -> Option<Instant> {
    let instant = DateTime::from_timestamp_micros(i64::from_be_bytes(bytes.try_into().ok()?))?;
    (1..=9999).contains(&instant.year()).then_some(instant)
}

/// A text that the databases take: PostgreSQL refuses NUL.
fn text_key(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_cursor() -> impl Strategy<Value = Cursor> {
        let instant = (-62_135_596_800_000_000_i64..=253_402_300_799_999_999)
            .prop_map(|micros| DateTime::from_timestamp_micros(micros).expect("in range"));
        let key = prop_oneof![instant.prop_map(Key::Instant), Just(Key::Absent), "[^\0]{0,200}".prop_map(Key::Text),];
        (any::<u8>(), key, any::<u128>()).prop_map(|(order, key, id)| Cursor { order, key, id: Uuid::from_u128(id) })
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_was(cursor in any_cursor()) {
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn what_is_read_is_what_would_be_written(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let text = URL_SAFE_NO_PAD.encode(bytes);
            if let Some(cursor) = Cursor::decode(&text) {
                prop_assert_eq!(cursor.encode(), text);
            }
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,80}") {
            let _may_be_none = Cursor::decode(&text);
        }
    }

    #[test]
    fn a_cursor_of_the_longest_title_is_read() {
        let cursor = Cursor { order: 2, key: Key::Text("\u{1F600}".repeat(600)), id: Uuid::nil() };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }

    #[test]
    fn the_cursors_that_clients_hold_stay_good() {
        let apple = Uuid::from_u128(0x01a1_f93e_64e6_7777_9983_3bc7_9345_0fe4);
        let other = Uuid::from_u128(0x01a1_f952_2414_77ba_87a5_c9e0_a841_b423);
        let at = |micros| Key::Instant(DateTime::from_timestamp_micros(micros).expect("in range"));
        for (text, order, key, id) in [
            ("AQEBAaH5UiQUd7qHpcngqEG0IwAGYLXo3OzF", 1, at(1_795_184_272_403_653), other),
            ("AQICAaH5PmTmd3eZgzvHk0UP5GFwcGxl", 2, Key::Text("apple".into()), apple),
            ("AQQBAaH5PmTmd3eZgzvHk0UP5AAGR0dvjJwA", 4, at(1_767_222_000_000_000), apple),
        ] {
            assert_eq!(Cursor::decode(text), Some(Cursor { order, key, id }), "{text}");
        }
    }
}
