//! Writing: rows as JSON. Texts are escaped by `serde_json`, all else has no character to escape.

use std::collections::HashMap;
use std::fmt::Write;

use apollo_compiler::Name;
use uuid::Uuid;

use super::Plan;
use super::selection::{Selected, Selection, Shown};
use crate::database::{self, Cell, Row};
use crate::domain::feed::{Change, ChangeKind, ChangePage, Object};
use crate::domain::task::{TaskId, TaskPage, TaskRow};
use crate::domain::user::Claims;
use crate::domain::{Error, Instant, Viewer};
use crate::entity::Noun;
use crate::graphql::schema::date_time::DateTime;

/// About what a row of the usual fields takes.
const ROW_BYTES: usize = 320;

/// Most bytes of an answer.
pub(super) const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Most bytes of what a token says of a user: a header has no more.
const CLAIM_BYTES: usize = 64 * 1024;

/// Why something was not written.
pub(super) enum Stop {
    /// A field is refused, or the database failed.
    Error(Error),
    /// The answer has become too large.
    TooLarge,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<database::Error> for Stop {
    fn from(error: database::Error) -> Self {
        Self::Error(error.into())
    }
}

type Result = std::result::Result<(), Stop>;

/// A page with what is selected beside it.
pub(super) struct ReadPage {
    pub(super) page: TaskPage,
    pub(super) sync_token: Option<String>,
    pub(super) count: Option<i32>,
}

/// Tasks that were looked up by their ids.
pub(super) type Tasks = HashMap<TaskId, TaskRow>;

/// What a mutation did: what its payload holds.
pub(super) enum Done {
    Task(TaskRow),
    Deleted(Uuid),
}

/// An answer that is being written: `{"data":{…}}`.
pub(super) struct Writer<'p> {
    text: String,
    /// Where the field at the root begins that is being written.
    root: usize,
    viewer: &'p Viewer,
    /// What earlier tokens of the viewer said, as far as it was looked up.
    pub(super) claims: Claims,
    /// The tasks that were looked up by their ids.
    pub(super) tasks: Tasks,
}

impl<'p> Writer<'p> {
    pub(super) fn new(plan: &Plan, viewer: &'p Viewer) -> Self {
        let mut text = String::with_capacity(64 * (1 + plan.roots.len()));
        text.push_str("{\"data\":{");
        let root = text.len();
        Self { text, root, viewer, claims: Claims::default(), tasks: Tasks::new() }
    }

    /// Begins with a field of the root.
    pub(super) fn begin_root(&mut self, key: &str) {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
        self.root = self.text.len();
        self.text.push_str(key);
    }

    /// Makes the field that was begun null, whatever was written of it.
    pub(super) fn null_root(&mut self, key: &str) {
        self.text.truncate(self.root);
        self.text.push_str(key);
        self.text.push_str("null");
    }

    /// Whether enough was written of the last field at the root that others may have a turn.
    pub(super) fn is_long(&self) -> bool {
        self.text.len() - self.root > 256 * 1024
    }

    /// The answer.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str("}}");
        self.text
    }

    /// A row of a noun.
    fn row<N: Noun>(
        &mut self,
        selection: &Selection,
        row: &Row<N>,
        mut resolve: impl FnMut(&mut Self, &Name, &[Selection]) -> Result,
    ) -> Result {
        self.object(selection, |writer, shown| match shown {
            Shown::Typename => writer.name(&selection.ty),
            Shown::Column(column) => writer.cell(row.cell_of(*column)?),
            Shown::Field(name, selections) => resolve(writer, name, selections),
        })
    }

    pub(super) fn task(&mut self, selection: &Selection, row: &TaskRow) -> Result {
        self.row(selection, row, |writer, name, selections| match name.as_str() {
            "owner" => writer.user(&selections[0]),
            _ => Err(unplanned(name).into()),
        })
    }

    pub(super) fn user(&mut self, selection: &Selection) -> Result {
        self.fields(selection, |writer, name, _| {
            let viewer = writer.viewer;
            match name.as_str() {
                "id" => writer.string(viewer.id.as_str()),
                "email" => match viewer.email.as_deref() {
                    Some(email) => writer.string(email),
                    None => writer.claim(|claims| &mut claims.email),
                },
                "name" => match viewer.name.as_deref() {
                    Some(name) => writer.string(name),
                    None => writer.claim(|claims| &mut claims.name),
                },
                _ => Err(unplanned(name).into()),
            }
        })
    }

    fn claim(&mut self, of: impl Fn(&mut Claims) -> &mut Option<String>) -> Result {
        let claim = of(&mut self.claims).take();
        let written = self.optional(claim.as_deref(), Self::string);
        *of(&mut self.claims) = claim;
        written
    }

    pub(super) fn payload(&mut self, selection: &Selection, done: &Done) -> Result {
        self.fields(selection, |writer, name, selections| match (selections, done) {
            ([selection], Done::Task(row)) => writer.task(selection, row),
            ([], Done::Deleted(id)) => writer.id(*id),
            _ => Err(unplanned(name).into()),
        })
    }

    pub(super) fn connection(&mut self, selection: &Selection, read: &ReadPage) -> Result {
        let ReadPage { page, sync_token, count } = read;
        self.fields(selection, |writer, name, selections| match name.as_str() {
            "nodes" => {
                writer.text.reserve(page.rows.len() * ROW_BYTES);
                writer.array(&page.rows, |writer, row| writer.task(&selections[0], row))
            }
            "edges" => {
                writer.text.reserve(page.rows.len() * ROW_BYTES);
                writer.array(&page.rows, |writer, row| {
                    writer.fields(&selections[0], |writer, name, selections| match name.as_str() {
                        "cursor" => writer.name(&page.cursor(row)?),
                        "node" => writer.task(&selections[0], row),
                        _ => Err(unplanned(name).into()),
                    })
                })
            }
            "pageInfo" => writer.page_info(&selections[0], read),
            "totalCount" => writer.optional(*count, Self::number),
            "syncToken" => writer.optional(sync_token.as_deref(), Self::name),
            _ => Err(unplanned(name).into()),
        })
    }

    fn page_info(&mut self, selection: &Selection, ReadPage { page, .. }: &ReadPage) -> Result {
        let cursor = |row: Option<&TaskRow>| row.map(|row| page.cursor(row)).transpose();
        self.fields(selection, |writer, name, _| match name.as_str() {
            "hasNextPage" => writer.boolean(page.has_next),
            "hasPreviousPage" => writer.boolean(page.has_previous),
            "startCursor" => writer.optional(cursor(page.rows.first())?.as_deref(), Self::name),
            "endCursor" => writer.optional(cursor(page.rows.last())?.as_deref(), Self::name),
            _ => Err(unplanned(name).into()),
        })
    }

    pub(super) fn change_page(&mut self, selection: &Selection, page: &ChangePage) -> Result {
        self.fields(selection, |writer, name, selections| match name.as_str() {
            "changes" => writer.array(&page.changes, |writer, change| writer.change(&selections[0], change)),
            "syncToken" => writer.name(&page.sync_token),
            "hasMore" => writer.boolean(page.has_more),
            _ => Err(unplanned(name).into()),
        })
    }

    fn change(&mut self, selection: &Selection, change: &Change) -> Result {
        self.fields(selection, |writer, name, selections| match name.as_str() {
            "kind" => writer.name(match change.kind {
                ChangeKind::Created => "CREATED",
                ChangeKind::Updated => "UPDATED",
                ChangeKind::Deleted => "DELETED",
            }),
            "taskId" => writer.id(change.changed.id),
            "task" => match &change.changed.object {
                Some(Object::Task(row)) => writer.task(&selections[0], row),
                None => writer.null(),
            },
            "syncToken" => writer.name(&change.sync_token),
            _ => Err(unplanned(name).into()),
        })
    }

    /// An object that is no row.
    fn fields(
        &mut self,
        selection: &Selection,
        mut value: impl FnMut(&mut Self, &Name, &[Selection]) -> Result,
    ) -> Result {
        self.object(selection, |writer, shown| match shown {
            Shown::Typename => writer.name(&selection.ty),
            Shown::Field(name, selections) => value(writer, name, selections),
            Shown::Column(_) => Err(Error::Internal("a column is selected of what is no row".into()).into()),
        })
    }

    fn object(&mut self, selection: &Selection, mut value: impl FnMut(&mut Self, &Shown) -> Result) -> Result {
        let mut separator = '{';
        for Selected { key, shown } in &selection.fields {
            self.text.push(separator);
            self.text.push_str(key);
            value(self, shown)?;
            separator = ',';
        }
        if separator == '{' {
            self.text.push('{');
        }
        self.text.push('}');
        Ok(())
    }

    /// Whether what was written so far fits.
    fn checked(&self) -> Result {
        if self.text.len() > MAX_BYTES { Err(Stop::TooLarge) } else { Ok(()) }
    }

    pub(super) fn array<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut value: impl FnMut(&mut Self, T) -> Result,
    ) -> Result {
        self.text.push('[');
        for (nth, item) in items.into_iter().enumerate() {
            if nth > 0 {
                self.text.push(',');
            }
            value(self, item)?;
        }
        self.text.push(']');
        Ok(())
    }

    fn cell(&mut self, cell: Cell<'_>) -> Result {
        match cell {
            Cell::Null => self.null(),
            Cell::Bool(value) => self.boolean(value),
            Cell::Int(value) => self.number(value),
            Cell::Text(value) => self.string(value),
            Cell::Uuid(value) => self.id(value),
            Cell::Instant(value) => self.instant(value),
        }
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T) -> Result) -> Result {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    /// A text that is JSON already.
    pub(super) fn raw(&mut self, json: &str) -> Result {
        self.text.push_str(json);
        self.checked()
    }

    pub(super) fn null(&mut self) -> Result {
        self.text.push_str("null");
        self.checked()
    }

    /// A text without a character that has to be escaped.
    pub(super) fn name(&mut self, name: &str) -> Result {
        self.text.push('"');
        self.text.push_str(name);
        self.text.push('"');
        self.checked()
    }

    fn string(&mut self, value: &str) -> Result {
        let needs_escape = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        if value.bytes().any(needs_escape) {
            self.text.push_str(&serde_json::Value::from(value).to_string());
            self.checked()
        } else {
            self.name(value)
        }
    }

    fn boolean(&mut self, value: bool) -> Result {
        self.text.push_str(if value { "true" } else { "false" });
        self.checked()
    }

    fn number(&mut self, value: impl std::fmt::Display) -> Result {
        let _a_string_takes_it = write!(self.text, "{value}");
        self.checked()
    }

    fn id(&mut self, id: Uuid) -> Result {
        self.name(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }

    fn instant(&mut self, instant: Instant) -> Result {
        self.text.push('"');
        DateTime(instant).write(&mut self.text);
        self.text.push('"');
        self.checked()
    }
}

/// About the most bytes that objects of a selection have, where none of them holds a list.
pub(super) fn most_bytes(selections: &[Selection]) -> usize {
    let of_field = |Selected { key, shown }: &Selected| {
        let value = match shown {
            Shown::Typename => 64,
            Shown::Column(column) => column.max_json_bytes(),
            Shown::Field(_, below) if below.is_empty() => CLAIM_BYTES,
            Shown::Field(_, below) => most_bytes(below),
        };
        key.len() + value + 1
    };
    let of_selection = |selection: &Selection| selection.fields.iter().map(of_field).sum::<usize>() + 2;
    selections.iter().map(of_selection).max().unwrap_or_default()
}

/// A field was planned that nobody writes.
fn unplanned(name: &Name) -> Error {
    Error::Internal(format!("nobody writes the field '{name}'").into())
}
