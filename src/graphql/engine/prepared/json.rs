//! Writing: rows as JSON. Texts are escaped by `serde_json`, all else has no character to escape.

use std::fmt::Write;

use async_graphql::parser::types::OperationType;

use super::selection::{Connection, ConnectionField, EdgeField, PageInfoField, PayloadField, Selected, TaskField};
use super::{Done, Verb};
use crate::domain::page::Page;
use crate::domain::task::{Priority, Task, TaskId};
use crate::graphql::schema::date_time::DateTime;

/// About what a task of the usual fields takes.
const TASK_BYTES: usize = 320;

/// The answer: `{"data":{…}}`, of root fields that are written.
pub(super) fn answer(fields: &[String]) -> String {
    let mut text = String::with_capacity(16 + fields.iter().map(|field| field.len() + 1).sum::<usize>());
    text.push_str("{\"data\":{");
    for (nth, field) in fields.iter().enumerate() {
        if nth > 0 {
            text.push(',');
        }
        text.push_str(field);
    }
    text.push_str("}}");
    text
}

pub(super) fn root_typename(text: &mut String, kind: OperationType) {
    name(text, if kind == OperationType::Mutation { "Mutation" } else { "Query" });
}

pub(super) fn task(text: &mut String, fields: &[Selected<TaskField>], task: &Task) {
    object(text, fields, |text, field| match field {
        TaskField::Typename => name(text, "Task"),
        TaskField::Id => id(text, TaskId(task.id)),
        TaskField::Title => string(text, &task.title),
        TaskField::Description => optional(text, task.description.as_deref(), string),
        TaskField::Completed => boolean(text, task.completed),
        TaskField::CompletedAt => optional(text, task.completed_at.map(DateTime), instant),
        TaskField::Priority => optional(text, task.priority, priority),
        TaskField::DueDate => optional(text, task.due_date.map(DateTime), instant),
        TaskField::CreatedAt => instant(text, DateTime(task.created_at)),
        TaskField::UpdatedAt => instant(text, DateTime(task.updated_at)),
        TaskField::Version => number(text, task.version),
    });
}

pub(super) fn connection(
    text: &mut String,
    connection: &Connection,
    page: &Page,
    sync_token: Option<&str>,
    count: Option<i32>,
) {
    object(text, &connection.fields, |text, field| match field {
        ConnectionField::Typename => name(text, "TaskConnection"),
        ConnectionField::Nodes(fields) => {
            text.reserve(page.tasks.len() * TASK_BYTES);
            array(text, &page.tasks, |text, one| task(text, fields, one));
        }
        ConnectionField::Edges(fields) => {
            text.reserve(page.tasks.len() * TASK_BYTES);
            array(text, &page.tasks, |text, one| edge(text, fields, page, one));
        }
        ConnectionField::PageInfo(fields) => page_info(text, fields, page),
        ConnectionField::TotalCount => optional(text, count, number),
        ConnectionField::SyncToken => optional(text, sync_token, string),
    });
}

fn edge(text: &mut String, fields: &[Selected<EdgeField>], page: &Page, one: &Task) {
    object(text, fields, |text, field| match field {
        EdgeField::Typename => name(text, "TaskEdge"),
        EdgeField::Cursor => string(text, &page.cursor(one)),
        EdgeField::Node(fields) => task(text, fields, one),
    });
}

fn page_info(text: &mut String, fields: &[Selected<PageInfoField>], page: &Page) {
    let cursor = |task: &Task| page.cursor(task);
    object(text, fields, |text, field| match field {
        PageInfoField::Typename => name(text, "PageInfo"),
        PageInfoField::HasNextPage => boolean(text, page.has_next),
        PageInfoField::HasPreviousPage => boolean(text, page.has_previous),
        PageInfoField::StartCursor => optional(text, page.tasks.first().map(cursor).as_deref(), string),
        PageInfoField::EndCursor => optional(text, page.tasks.last().map(cursor).as_deref(), string),
    });
}

pub(super) fn payload(text: &mut String, verb: Verb, fields: &[Selected<PayloadField>], done: &Done) {
    object(text, fields, |text, field| match (field, done) {
        (PayloadField::Typename, _) => name(text, verb.payload_type()),
        (PayloadField::Task(fields), Done::Task(changed)) => task(text, fields, changed),
        (PayloadField::DeletedTaskId, Done::Deleted(deleted)) => id(text, *deleted),
        // A verb has one of them, and its payload the field for it.
        (PayloadField::Task(_), Done::Deleted(_)) | (PayloadField::DeletedTaskId, Done::Task(_)) => {
            text.push_str("null");
        }
    });
}

fn object<F>(text: &mut String, fields: &[Selected<F>], mut value: impl FnMut(&mut String, &F)) {
    let mut separator = '{';
    for Selected { key, field, .. } in fields {
        text.push(separator);
        text.push_str(key);
        value(text, field);
        separator = ',';
    }
    text.push('}');
}

fn array<T>(text: &mut String, items: &[T], mut value: impl FnMut(&mut String, &T)) {
    text.push('[');
    for (nth, item) in items.iter().enumerate() {
        if nth > 0 {
            text.push(',');
        }
        value(text, item);
    }
    text.push(']');
}

fn optional<T>(text: &mut String, value: Option<T>, write: impl FnOnce(&mut String, T)) {
    match value {
        Some(value) => write(text, value),
        None => text.push_str("null"),
    }
}

/// A name of the schema's.
fn name(text: &mut String, name: &str) {
    text.push('"');
    text.push_str(name);
    text.push('"');
}

fn string(text: &mut String, value: &str) {
    let needs_escape = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    if value.bytes().any(needs_escape) {
        text.push_str(&serde_json::Value::from(value).to_string());
    } else {
        name(text, value);
    }
}

fn boolean(text: &mut String, value: bool) {
    text.push_str(if value { "true" } else { "false" });
}

fn number(text: &mut String, value: i32) {
    let _a_string_takes_it = write!(text, "{value}");
}

fn id(text: &mut String, id: TaskId) {
    name(text, id.0.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
}

fn priority(text: &mut String, priority: Priority) {
    name(
        text,
        match priority {
            Priority::Low => "LOW",
            Priority::Medium => "MEDIUM",
            Priority::High => "HIGH",
        },
    );
}

fn instant(text: &mut String, instant: DateTime) {
    text.push('"');
    instant.write(text);
    text.push('"');
}
