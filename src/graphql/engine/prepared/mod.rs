//! The short way. Clients send the same few documents all day, and nearly all of them read tasks or change one. Such an
//! operation is prepared when its document is read: its selections become lists of fields, fragments spread out. When it
//! is run, the domain is called as the resolvers call it, and the answer is written as JSON straight from the rows,
//! without a future and a map entry for each field, which is most of what async-graphql's way costs.
//!
//! It is the same API, only written by another hand, and knows nothing that the resolvers do not:
//! - a document comes this way only after async-graphql has validated and run it once;
//! - what is not in the tables of [`selection`] is not prepared: directives, other root fields, owners, introspection;
//! - a request that is refused goes the plain way from the start, so that there is one place that words an error;
//! - `tests/it/prepared.rs` compares the two ways on random documents.
//!
//! [`selection`] prepares, [`json`] writes; what is here runs.

mod json;
mod selection;

use async_graphql::parser::types::OperationType;
use async_graphql::{ID, InputType, Name, PathSegment, Positioned, ServerError, Value, Variables};
use async_graphql_value::Value as InputValue;
use futures_util::future::try_join_all;

pub(super) use selection::prepare;
use selection::{Connection, PayloadField, Selected, TaskField, columns};

use crate::domain::page::PageArguments;
use crate::domain::task::{self, Task, TaskId};
use crate::domain::{Error, Store, Viewer};
use crate::graphql::error::ApiError;
use crate::graphql::schema::connection::{count, list, read};
use crate::graphql::schema::task::{CreateTaskInput, UpdateTaskInput};

/// An operation that can go the short way.
#[derive(Debug)]
pub(super) struct Prepared {
    kind: OperationType,
    roots: Vec<Selected<Root>>,
}

/// A root field with its arguments as they are written.
#[derive(Debug)]
struct Root {
    field: RootField,
    arguments: Vec<(Positioned<Name>, Positioned<InputValue>)>,
}

#[derive(Debug)]
enum RootField {
    Typename,
    Task(Vec<Selected<TaskField>>),
    Tasks(Connection),
    Write(Verb, Vec<Selected<PayloadField>>),
}

/// What a mutation does.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Create,
    Update,
    Toggle,
    Delete,
}

/// How it went.
pub(super) enum Outcome {
    /// The whole answer: `{"data": …}`.
    Written(String),
    /// The database failed; nothing more is to be tried.
    GivenUp(ServerError),
    /// Nothing was done. The plain way says what is wrong.
    Plain,
}

/// Why a field was not written.
enum Stop {
    GivenUp(ServerError),
    Plain,
}

impl Prepared {
    /// Runs it for a viewer.
    pub(super) async fn run(&self, store: &Store, viewer: &Viewer, variables: &Variables) -> Outcome {
        let written = match self.roots.as_slice() {
            [only] => self.root(only, store, viewer, variables).await.map(|text| vec![text]),
            several => try_join_all(several.iter().map(|root| self.root(root, store, viewer, variables))).await,
        };
        match written {
            Ok(fields) => Outcome::Written(json::answer(&fields)),
            Err(Stop::GivenUp(error)) => Outcome::GivenUp(error),
            Err(Stop::Plain) => Outcome::Plain,
        }
    }

    /// One root field: `"key":value`.
    async fn root(
        &self,
        Selected { key, pos, field: root }: &Selected<Root>,
        store: &Store,
        viewer: &Viewer,
        variables: &Variables,
    ) -> Result<String, Stop> {
        let arguments = Arguments { written: &root.arguments, variables };
        let stop = |error| match error {
            Error::Unavailable(_) | Error::Internal(_) => {
                let error = async_graphql::Error::from(ApiError::from(error));
                let path = vec![PathSegment::Field(key.trim_matches(['"', ':']).to_owned())];
                Stop::GivenUp(error.into_server_error(*pos).with_path(path))
            }
            _ => Stop::Plain,
        };
        let mut text = key.as_str().to_owned();
        match &root.field {
            RootField::Typename => json::root_typename(&mut text, self.kind),
            RootField::Task(fields) => {
                let id = TaskId::parse(&arguments.get::<ID>("id")?).ok_or(Stop::Plain)?;
                let found = task::by_ids(store, viewer, &[id], columns(fields)).await.map_err(stop)?.remove(&id);
                json::task(&mut text, fields, &found.ok_or(Stop::Plain)?);
            }
            RootField::Tasks(connection) => {
                let list = list(
                    arguments.get("status")?,
                    arguments.get("sortBy")?,
                    arguments.get("direction")?,
                    PageArguments {
                        first: arguments.get("first")?,
                        after: arguments.get("after")?,
                        last: arguments.get("last")?,
                        before: arguments.get("before")?,
                    },
                    connection.columns,
                );
                let status = list.status;
                let read = read(store, viewer, list, connection.needs_sync_token);
                let (page, sync_token) = read.await.map_err(stop)?;
                let count =
                    if connection.needs_count { Some(count(store, viewer, status).await.map_err(stop)?) } else { None };
                json::connection(&mut text, connection, &page, sync_token.as_deref(), count);
            }
            RootField::Write(verb, fields) => match Box::pin(write(*verb, &arguments, store, viewer)).await? {
                Ok(done) => json::payload(&mut text, *verb, fields, &done),
                Err(error) => return Err(stop(error)),
            },
        }
        Ok(text)
    }
}

/// What a mutation did.
enum Done {
    Task(Box<Task>),
    Deleted(TaskId),
}

/// Carries a mutation out. A refusal has changed nothing.
async fn write(
    verb: Verb,
    arguments: &Arguments<'_>,
    store: &Store,
    viewer: &Viewer,
) -> Result<Result<Done, Error>, Stop> {
    if let Verb::Create = verb {
        let input: CreateTaskInput = arguments.get("input")?;
        return Ok(task::create(store, viewer, input.into()).await.map(|task| Done::Task(task.into())));
    }
    let id = TaskId::parse(&arguments.get::<ID>("id")?);
    let expected_version = arguments.get("expectedVersion")?;
    Ok(match verb {
        Verb::Update => {
            let input: UpdateTaskInput = arguments.get("input")?;
            task::update(store, viewer, id, input.into(), expected_version).await.map(|task| Done::Task(task.into()))
        }
        Verb::Delete => task::delete(store, viewer, id, expected_version).await.map(Done::Deleted),
        Verb::Create | Verb::Toggle => {
            task::toggle(store, viewer, id, expected_version).await.map(|task| Done::Task(task.into()))
        }
    })
}

/// The arguments of a field, with the values of their variables.
struct Arguments<'p> {
    written: &'p [(Positioned<Name>, Positioned<InputValue>)],
    variables: &'p Variables,
}

impl Arguments<'_> {
    /// An argument, read by the type that the resolver declares for it.
    fn get<T: InputType>(&self, name: &str) -> Result<T, Stop> {
        let written = self.written.iter().find(|(written, _)| written.node == name);
        T::parse(written.and_then(|(_, value)| self.value(&value.node))).map_err(|_| Stop::Plain)
    }

    /// A value; nothing where it is a variable that was left out.
    fn value(&self, value: &InputValue) -> Option<Value> {
        Some(match value {
            InputValue::Variable(name) => return self.variables.get(name).cloned(),
            InputValue::Null => Value::Null,
            InputValue::Number(number) => Value::Number(number.clone()),
            InputValue::String(text) => Value::String(text.clone()),
            InputValue::Boolean(boolean) => Value::Boolean(*boolean),
            InputValue::Binary(bytes) => Value::Binary(bytes.clone()),
            InputValue::Enum(name) => Value::Enum(name.clone()),
            InputValue::List(items) => {
                Value::List(items.iter().map(|item| self.value(item).unwrap_or(Value::Null)).collect())
            }
            InputValue::Object(fields) => Value::Object(
                fields.iter().filter_map(|(name, value)| Some((name.clone(), self.value(value)?))).collect(),
            ),
        })
    }
}
