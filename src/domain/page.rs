//! Pages: what a client asks for, checked, and what it gets.

use super::cursor::Cursor;
use super::task::{Direction, Sort, Task};
use super::{Error, Problems};

/// Rows of a page where the client does not say.
pub const DEFAULT_SIZE: u64 = 50;
/// Most rows of a page.
pub const MAX_SIZE: u64 = 100;

/// What a client says of the page that it wants.
#[derive(Clone, Debug, Default)]
pub struct PageArguments {
    /// How many from the start, or after `after`.
    pub first: Option<i32>,
    /// The cursor to go on from.
    pub after: Option<String>,
    /// How many from the end, or before `before`.
    pub last: Option<i32>,
    /// The cursor to go back from.
    pub before: Option<String>,
}

/// A page that can be read.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// From the end towards the start.
    pub(super) backward: bool,
    /// Read on from here.
    pub(super) from: Option<Cursor>,
    /// Most rows, 0 to 100.
    pub(super) size: u64,
}

/// A page that was read: its tasks, in the order of the list.
#[derive(Clone, Debug)]
pub struct Page {
    /// The tasks, each with its cursor.
    pub tasks: Vec<Task>,
    /// Whether more follow; exact in a page towards the end, else whether a cursor was given.
    pub has_next: bool,
    /// Whether some come before; exact in a page towards the start, else whether a cursor was given.
    pub has_previous: bool,
    /// What the cursors belong to.
    pub(super) order: (Sort, Direction),
}

impl Page {
    /// The cursor of one of the page's tasks.
    #[must_use]
    pub fn cursor(&self, task: &Task) -> String {
        Cursor::of(task, self.order.0, self.order.1).encode()
    }
}

impl PageArguments {
    /// The page, once its rules hold.
    pub(super) fn window(self, sort: Sort, direction: Direction) -> Result<Window, Error> {
        let mut problems = Problems::default();
        let forward = self.first.is_some() || self.after.is_some();
        let backward = self.last.is_some() || self.before.is_some();
        if forward && backward {
            let field = if self.last.is_some() { "last" } else { "before" };
            problems.add(field, "Give first and after, or last and before, not a mix of them.");
        }
        let first = self.first.and_then(|n| problems.check("first", size("first", n)));
        let last = self.last.and_then(|n| problems.check("last", size("last", n)));
        let after = self.after.and_then(|text| problems.check("after", cursor(&text, sort, direction)));
        let before = self.before.and_then(|text| problems.check("before", cursor(&text, sort, direction)));
        problems.finish()?;
        let size = first.or(last).unwrap_or(DEFAULT_SIZE);
        Ok(Window { backward, from: after.or(before), size })
    }
}

fn size(name: &str, n: i32) -> Result<u64, String> {
    u64::try_from(n)
        .ok()
        .filter(|n| *n <= MAX_SIZE)
        .ok_or_else(|| format!("{name} is a number from 0 to {MAX_SIZE}, not {n}."))
}

fn cursor(text: &str, sort: Sort, direction: Direction) -> Result<Cursor, String> {
    let cursor = Cursor::decode(text)
        .ok_or("This is no cursor of ours; give one from an edge or from pageInfo, or leave it out.")?;
    if (cursor.sort, cursor.direction) == (sort, direction) {
        Ok(cursor)
    } else {
        Err("This cursor belongs to another sort or direction; begin again without one.".into())
    }
}
