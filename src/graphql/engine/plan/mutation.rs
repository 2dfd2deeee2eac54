//! Running mutations: one field after the other, each by the verb that its resolver calls.

use std::pin::Pin;

use async_graphql::{ID, Variables};

use super::arguments::Arguments;
use super::json::{Done, MAX_BYTES, Stop, Writer, most_bytes};
use super::{NoPlan, Outcome, Plan, gives_up, too_large};
use crate::domain::task::{self, TaskId};
use crate::domain::{Error, Store, Viewer};
use crate::graphql::schema::task as schema;

/// The write that a field's arguments ask for.
type Verb<'a> = Pin<Box<dyn Future<Output = Result<Done, Error>> + Send + 'a>>;
type MakeVerb = for<'a> fn(&Arguments<'_>, &'a Store, &'a Viewer) -> Result<Verb<'a>, NoPlan>;

/// The mutations.
const MUTATIONS: [(&str, MakeVerb); 4] = [
    ("createTask", |arguments, store, viewer| {
        let input = arguments.get("input")?;
        Ok(Box::pin(async move { schema::create(store, viewer, input).await.map(Done::Task) }))
    }),
    ("updateTask", |arguments, store, viewer| {
        let (id, input, version) = (task_id(arguments)?, arguments.get("input")?, expected_version(arguments)?);
        Ok(Box::pin(async move { schema::update(store, viewer, id, input, version).await.map(Done::Task) }))
    }),
    ("toggleTask", |arguments, store, viewer| {
        let (id, version) = (task_id(arguments)?, expected_version(arguments)?);
        Ok(Box::pin(async move { task::toggle(store, viewer, id, version).await.map(Done::Task) }))
    }),
    ("deleteTask", |arguments, store, viewer| {
        let (id, version) = (task_id(arguments)?, expected_version(arguments)?);
        Ok(Box::pin(async move { task::delete(store, viewer, id, version).await.map(|id| Done::Deleted(id.uuid)) }))
    }),
];

fn task_id(arguments: &Arguments<'_>) -> Result<Option<TaskId>, NoPlan> {
    Ok(TaskId::parse(&arguments.get::<ID>("id")?))
}

fn expected_version(arguments: &Arguments<'_>) -> Result<Option<i32>, NoPlan> {
    arguments.get("expectedVersion")
}

/// Whether a field of the root has a plan.
pub(super) fn takes(field: &str) -> bool {
    MUTATIONS.iter().any(|(name, _)| *name == field)
}

/// Runs a mutation. A field that is refused is null; what the fields before it did stays done.
pub(super) async fn run(plan: &Plan, store: &Store, viewer: &Viewer, variables: &Variables) -> Result<Outcome, NoPlan> {
    let verbs = plan.roots.iter().map(|root| {
        let arguments = Arguments { written: &root.arguments, variables };
        let verb = MUTATIONS.iter().find(|(name, _)| *name == root.name.as_str());
        verb.map(|(_, verb)| verb(&arguments, store, viewer)).transpose()
    });
    let verbs = verbs.collect::<Result<Vec<_>, _>>()?;
    // What is written stays written: whether the answer fits has to be known before.
    let most: usize = plan.roots.iter().map(|root| root.key.len() + most_bytes(&root.selections) + 1).sum();
    if most > MAX_BYTES {
        return Ok(too_large());
    }
    let mut writer = Writer::new(plan, viewer);
    // Before anything is written: what is carried out must not be answered with what went wrong here.
    match plan.claims(store, viewer).await {
        Ok(claims) => writer.claims = claims,
        Err(error) => return Ok(Outcome::GivenUp(plan.roots[0].error(error))),
    }
    let (mut errors, mut has_written) = (Vec::new(), false);
    for (root, verb) in plan.roots.iter().zip(verbs) {
        writer.begin_root(&root.key);
        let done = async {
            let Some(verb) = verb else { return writer.name("Mutation") };
            let done = verb.await?;
            has_written = true;
            writer.payload(&root.selections[0], &done)
        };
        let done = done.await.map_err(|stop| match stop {
            Stop::Error(error) => error,
            Stop::TooLarge => Error::Internal("an answer is larger than it can be".into()),
        });
        match done {
            Ok(()) => {}
            Err(error) if gives_up(&error) && !has_written => return Ok(Outcome::GivenUp(root.error(error))),
            Err(error) => {
                writer.null_root(&root.key);
                errors.push(root.error(error));
            }
        }
    }
    Ok(Outcome::Written(writer.finish(), errors))
}
