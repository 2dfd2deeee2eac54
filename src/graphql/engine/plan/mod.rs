//! The fast path. Clients send the same few documents all day, and nearly all of them read what the viewer owns or change
//! one of it. Such an operation gets a plan from its validated tree: its selections become lists of fields, fragments
//! spread out. When it is run, the domain is called as the resolvers call it, and the answer is written as JSON straight
//! from the rows, without a future and a map entry for each field, which is most of what the executor's way costs.
//!
//! It is the same API, only written by another hand, and knows nothing that the resolvers do not: a field of a noun is a
//! column of its entity, or one of [`selection::RESOLVED`]; what else has a plan is in the tables of [`selection`], [`query`] and
//! [`mutation`]. Everything else has none and goes to the executor. `tests/it/plan.rs` compares the two on random
//! documents.
//!
//! [`selection`] plans, [`query`] and [`mutation`] run, [`json`] writes, [`weight`] weighs.

mod arguments;
mod json;
mod mutation;
mod query;
mod selection;
mod weight;

use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::Name;
use apollo_compiler::executable::{Operation, OperationType};
use async_graphql::{Pos, ServerError, Value, Variables};
use async_graphql_value::Value as InputValue;

use super::collect::{Collect, Conditions};
use super::position::Positions;
use crate::domain::user::{self, Claims};
use crate::domain::{Error, Store, Viewer};
use crate::graphql::code::{Code, coded};
use crate::graphql::error::ApiError;
use selection::Selection;

/// Most plans that are kept of an operation which depends on `@skip` and `@include`.
const MAX_KEPT: usize = 8;
/// The plans of an operation: one for each way in which its conditions can turn out.
pub(super) struct Plans {
    /// The variables that `@skip` and `@include` may go by.
    conditions: Box<[Name]>,
    kept: Mutex<Vec<(u32, Option<Arc<Plan>>)>>,
    /// What those that can be kept take in memory.
    bytes: usize,
}

/// An operation that can go the fast path.
#[derive(Debug)]
pub(super) struct Plan {
    kind: OperationType,
    roots: Box<[Root]>,
    /// Whether the viewer's address is selected, and the name.
    selects_email: bool,
    selects_name: bool,
}

/// A field at the root.
#[derive(Debug)]
struct Root {
    /// `"key":`
    key: Box<str>,
    name: Name,
    pos: Pos,
    is_nullable: bool,
    /// As they are written.
    arguments: Box<[(Name, InputValue)]>,
    /// What is selected of it: one selection for each type that it can be of.
    selections: Box<[Selection]>,
}

/// How it went.
pub(super) enum Outcome {
    /// The answer, `{"data": …}`, and what was refused on the way.
    Written(String, Vec<ServerError>),
    /// There is no data, since a field that cannot be null was refused.
    Null(Vec<ServerError>),
    /// It is given up as a whole, and nothing was carried out before: the database failed, or the answer is too large.
    GivenUp(ServerError),
}

impl Plans {
    /// The plans of an operation of a valid document.
    pub(super) fn new(operation: &Operation, collect: Collect<'_>, positions: &Positions) -> Self {
        // As many as there may be directives in a document: fewer than the bits below.
        let conditions: Box<[Name]> = collect.condition_variables(operation).into_iter().cloned().collect();
        let everything = Collect { conditions: Conditions::Ignored, ..collect };
        let plan = Plan::new(operation, everything, positions);
        let each = plan.as_ref().map_or(0, Plan::bytes);
        let bytes = each * if conditions.is_empty() { 1 } else { MAX_KEPT };
        // Without a variable there is one plan, which the first one to come makes.
        Self { conditions, kept: Mutex::default(), bytes }
    }

    /// The plan for these variables; none where the operation has to go to the executor.
    pub(super) fn get(
        &self,
        operation: &Operation,
        collect: Collect<'_>,
        positions: &Positions,
        variables: &Variables,
    ) -> Option<Arc<Plan>> {
        let is_true = |name: &Name| matches!(variables.get(name.as_str()), Some(Value::Boolean(true)));
        let bits = self.conditions.iter().fold(0, |bits, name| bits << 1 | u32::from(is_true(name)));
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plan)) = kept().iter().find(|(of, _)| *of == bits) {
            return plan.clone();
        }
        let plan = Plan::new(operation, collect, positions).map(Arc::new);
        let mut kept = kept();
        // Others may have made the same one meanwhile.
        if let Some((_, plan)) = kept.iter().find(|(of, _)| *of == bits) {
            return plan.clone();
        }
        if kept.len() < MAX_KEPT {
            kept.push((bits, plan.clone()));
        }
        plan
    }

    /// What they take in memory, beside themselves.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + weight::names(&self.conditions)
    }
}

impl Plan {
    /// Plans an operation; nothing where it selects what has no plan.
    fn new(operation: &Operation, collect: Collect<'_>, positions: &Positions) -> Option<Self> {
        let root = match operation.operation_type {
            OperationType::Query => query::takes,
            OperationType::Mutation => mutation::takes,
            OperationType::Subscription => return None,
        };
        let mut selected = selection::Planner::new(collect);
        let fields = collect.fields([&operation.selection_set]);
        let roots = fields.into_iter().map(|fields| {
            let first = fields[0];
            let is_introspection = first.name.starts_with("__");
            if !is_introspection && !root(&first.name) {
                return None;
            }
            Some(Root {
                key: selection::key(first),
                name: first.name.clone(),
                pos: positions.of(first.location()),
                is_nullable: !first.definition.ty.is_non_null(),
                arguments: arguments::written(first),
                selections: if is_introspection { Box::default() } else { selected.of_field(&fields)? },
            })
        });
        let roots = roots.collect::<Option<_>>()?;
        let selection::Planner { selects_email, selects_name, .. } = selected;
        Some(Self { kind: operation.operation_type, roots, selects_email, selects_name })
    }

    /// Runs it for a viewer. `introspected` is the object that its introspection fields come to, where it has some.
    ///
    /// # Errors
    /// [`NoPlan`] where the executor has to do it; nothing was done then.
    pub(super) async fn run(
        &self,
        store: &Store,
        viewer: &Viewer,
        variables: &Variables,
        introspected: Option<&str>,
    ) -> Result<Outcome, NoPlan> {
        match self.kind {
            OperationType::Mutation => mutation::run(self, store, viewer, variables).await,
            _ => query::run(self, store, viewer, variables, introspected).await,
        }
    }

    /// Whether something is selected of the viewer that the token does not say.
    fn needs_claims(&self, viewer: &Viewer) -> bool {
        (self.selects_email && viewer.email.is_none()) || (self.selects_name && viewer.name.is_none())
    }

    /// What earlier tokens of the viewer said, where somebody wants to know. At most one statement.
    async fn claims(&self, store: &Store, viewer: &Viewer) -> Result<Claims, Error> {
        if self.needs_claims(viewer) { user::claims(store, &viewer.id).await } else { Ok(Claims::default()) }
    }
}

/// An argument is not what its resolver declares. Validation has seen to it that it is.
pub(super) struct NoPlan;

impl Root {
    /// The response key.
    fn response_key(&self) -> &str {
        self.key.trim_matches(['"', ':'])
    }

    /// What a client hears of a field that was refused.
    fn error(&self, error: Error) -> ServerError {
        let path = vec![async_graphql::PathSegment::Field(self.response_key().to_owned())];
        async_graphql::Error::from(ApiError::from(error)).into_server_error(self.pos).with_path(path)
    }
}

/// The refusal of an operation whose answer is too large, or might become so.
fn too_large() -> Outcome {
    let message = format!(
        "The answer would have more than {} MiB. Ask for smaller pages, or for fewer fields.",
        json::MAX_BYTES / 1024 / 1024
    );
    Outcome::GivenUp(coded(Code::QueryTooComplex, message, None))
}

/// Whether an operation that meets this error is given up as a whole.
fn gives_up(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_) | Error::Internal(_))
}
