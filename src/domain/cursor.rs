//! Cursors: the place of one task in one order, opaque to clients. A cursor holds the order, the task's key in it and
//! the task's id, so that it stays good when the task has changed or gone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike};
use uuid::Uuid;

use super::Instant;
use super::task::{Direction, Sort, Task};

/// The form of the bytes below; a new form gets a new number.
const FORM: u8 = 1;
/// Most characters that are looked at: above what the longest title gives.
const MAX_LENGTH: usize = 4_096;

/// A place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) sort: Sort,
    pub(super) direction: Direction,
    pub(super) key: Key,
    pub(super) id: Uuid,
}

/// What a task is sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Instant(Instant),
    Text(String),
    /// No due date.
    Absent,
}

impl Cursor {
    /// The place of `task`.
    pub(super) fn of(task: &Task, sort: Sort, direction: Direction) -> Self {
        let key = match sort {
            Sort::Created => Key::Instant(task.created_at),
            Sort::Title => Key::Text(task.title_key.clone()),
            Sort::DueDate => task.due_date.map_or(Key::Absent, Key::Instant),
        };
        Self { sort, direction, key, id: task.id }
    }

    /// The cursor as clients see it: base64url of form, order, kind of key, the id's 16 bytes, the key.
    pub(super) fn encode(&self) -> String {
        let mut bytes = vec![FORM, order(self.sort, self.direction)];
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
        let (sort, direction) =
            ORDERS.into_iter().find(|(sort, direction)| self::order(*sort, *direction) == *order)?;
        let key = match (sort, kind) {
            (Sort::DueDate, 0) if key.is_empty() => Key::Absent,
            (Sort::Created | Sort::DueDate, 1) => Key::Instant(instant(key)?),
            (Sort::Title, 2) => Key::Text(text_key(key)?),
            _ => return None,
        };
        (*form == FORM).then_some(Self { sort, direction, key, id: Uuid::from_bytes(*id) })
    }
}

const ORDERS: [(Sort, Direction); 6] = [
    (Sort::Created, Direction::Ascending),
    (Sort::Created, Direction::Descending),
    (Sort::Title, Direction::Ascending),
    (Sort::Title, Direction::Descending),
    (Sort::DueDate, Direction::Ascending),
    (Sort::DueDate, Direction::Descending),
];

fn order(sort: Sort, direction: Direction) -> u8 {
    let sort = match sort {
        Sort::Created => 0,
        Sort::Title => 2,
        Sort::DueDate => 4,
    };
    sort + u8::from(direction == Direction::Descending)
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
        let key_and_order = prop_oneof![
            (instant.clone(), Just(Sort::Created)).prop_map(|(i, s)| (Key::Instant(i), s)),
            (instant, Just(Sort::DueDate)).prop_map(|(i, s)| (Key::Instant(i), s)),
            Just((Key::Absent, Sort::DueDate)),
            ("[^\0]{0,200}", Just(Sort::Title)).prop_map(|(t, s)| (Key::Text(t), s)),
        ];
        let direction = prop_oneof![Just(Direction::Ascending), Just(Direction::Descending)];
        (key_and_order, direction, any::<u128>()).prop_map(|((key, sort), direction, id)| Cursor {
            sort,
            direction,
            key,
            id: Uuid::from_u128(id),
        })
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
        let key = Key::Text("\u{1F600}".repeat(600));
        let cursor = Cursor { sort: Sort::Title, direction: Direction::Ascending, key, id: Uuid::nil() };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }
}
