//! The API as a whole: a document in, an answer out, whatever transport carries them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use apollo_compiler::executable::ExecutableDocument;
use apollo_compiler::validation::Valid;
use async_graphql::{Request, Response, SDLExportOptions, Schema, ServerError, ValidationMode, Value, Variables};
use futures_util::FutureExt;
use futures_util::future::ready;
use futures_util::stream::{BoxStream, StreamExt, once};

use super::collect::{Collect, Conditions};
use super::cost::MAX_SELECTION_NESTING;
use super::document::{Document, Operation, OperationKind, Outline, Ready};
use super::plan::{NoPlan, Outcome, Plan};
use super::variables::Declared;
use super::{convert, introspection, rows};
use crate::domain::{Store, Viewer};
use crate::graphql::code::{Code, code_of, coded, most_severe};
use crate::graphql::error::FAULT;
use crate::graphql::schema::context::RequestContext;
use crate::graphql::schema::mutation::Mutation;
use crate::graphql::schema::query::Query;
use crate::graphql::schema::subscription::{self, Subscription};

/// What is said to who asks for something of a viewer's and has no token.
pub const UNAUTHENTICATED: &str = "This needs a token: send the header 'Authorization: Bearer TOKEN'.";

/// The schema with all that it takes to run a document against it.
pub struct Api {
    executor: Schema<Query, Mutation, Subscription>,
    /// The same schema as validation, variables and introspection know it.
    schema: Arc<Valid<apollo_compiler::Schema>>,
    store: Store,
    introspection: bool,
}

/// A document to run.
pub struct Call<'d> {
    /// The operation.
    pub operation: Operation<'d>,
    /// The variables, as they came.
    pub variables: serde_json::Map<String, serde_json::Value>,
    /// Who is asking; nobody without a token.
    pub viewer: Option<Viewer>,
}

/// The answer.
#[derive(Debug)]
pub struct Reply {
    /// Absent where the request was refused before it ran or given up as a whole.
    pub data: Option<Data>,
    /// What went wrong; each has its code.
    pub errors: Vec<ServerError>,
    /// Who answered.
    pub way: Way,
}

/// Who answers an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Nobody: it was refused before it ran.
    Refused,
    /// A plan of the fast path.
    FastPath,
    /// The schema.
    Introspection,
    /// async-graphql.
    Executor,
}

impl Way {
    /// Its name in the log and in the metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::FastPath => "fast_path",
            Self::Introspection => "introspection",
            Self::Executor => "executor",
        }
    }
}

/// What was asked for.
#[derive(Debug)]
pub enum Data {
    /// To be written.
    Tree(Value),
    /// The answer, written already but for its errors: `{"data": …}`.
    Written(String),
}

impl Api {
    /// The API over `store`.
    #[must_use]
    pub fn new(store: Store, introspection: bool) -> Self {
        let executor = Schema::build(Query, Mutation, Subscription)
            // Documents are validated, and limited, before it sees them.
            .limit_recursive_depth(MAX_SELECTION_NESTING + 1)
            .validation_mode(ValidationMode::Fast)
            .finish();
        let schema = introspection::schema(Self::sdl());
        Self { executor, schema: Arc::new(schema), store, introspection }
    }

    /// The schema, as schema.graphql has it.
    #[must_use]
    pub fn sdl() -> String {
        let options =
            SDLExportOptions::new().include_specified_by().prefer_single_line_descriptions().use_space_ident();
        Schema::new(Query, Mutation, Subscription).sdl_with_options(options)
    }

    /// Reads a document, checks it against the limits and validates it.
    ///
    /// # Errors
    /// One of code `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED` or `QUERY_TOO_COMPLEX`. What else is wrong against
    /// the schema is told once an operation is run.
    pub fn read(&self, source: &str) -> Result<Document, ServerError> {
        Document::read(&self.schema, source)
    }

    /// Runs one operation. A mutation's writes end whether or not this is awaited to its end.
    pub async fn execute(&self, call: Call<'_>) -> Reply {
        let Call { operation, variables, viewer } = call;
        let checked = match self.check(operation, variables, viewer.is_none()) {
            Ok(checked) => checked,
            Err(errors) => return Reply::refusals(errors),
        };
        if let (Some(plan), Some(viewer)) = (checked.plan(), &viewer) {
            let introspected = match checked.outline.introspects.then(|| checked.introspect()).flatten().transpose() {
                Ok(introspected) => introspected,
                Err(error) => return Reply::refusal(error),
            };
            let run = plan.run(&self.store, viewer, &checked.variables, introspected.as_deref());
            let outcome = AssertUnwindSafe(run).catch_unwind().await;
            match outcome {
                Ok(Ok(outcome)) => return outcome.into(),
                Ok(Err(NoPlan)) => {}
                Err(_) => return reply(fault(), false),
            }
        }
        // In a box: a future is as large as the largest that it may come to await, and is moved several times on its way.
        Box::pin(self.resolve(checked, viewer)).await
    }

    /// As [`execute`](Self::execute), but never by the fast path, which the tests compare with this.
    #[doc(hidden)]
    pub async fn execute_without_plan(&self, call: Call<'_>) -> Reply {
        let Call { operation, variables, viewer } = call;
        match self.check(operation, variables, viewer.is_none()) {
            Ok(checked) => self.resolve(checked, viewer).await,
            Err(errors) => Reply::refusals(errors),
        }
    }

    /// Answers introspection from the schema, and all else as async-graphql does.
    async fn resolve(&self, checked: Checked<'_>, viewer: Option<Viewer>) -> Reply {
        let introspected = match checked.introspect() {
            None => None,
            Some(Err(error)) => return Reply::refusal(error),
            Some(Ok(fields)) if !checked.outline.is_personal => {
                let answer = format!("{{\"data\":{fields}}}");
                return Reply { data: Some(Data::Written(answer)), errors: Vec::new(), way: Way::Introspection };
            }
            Some(Ok(fields)) => Some(fields),
        };
        let (store, has_written) = (self.store.clone(), Arc::new(AtomicBool::new(false)));
        let context = RequestContext::new(store, viewer, Arc::clone(&has_written));
        let response = AssertUnwindSafe(self.executor.execute(checked.request(context))).catch_unwind().await;
        let mut reply = reply(response.unwrap_or_else(|_| fault()), has_written.load(Ordering::Relaxed));
        if let (Some(fields), Some(Data::Tree(data))) = (introspected, &mut reply.data) {
            *data = introspection::merged(std::mem::take(data), &fields, &checked.ready.node, checked.collect());
        }
        reply
    }

    /// Follows a subscription. The stream ends with an error, or when nobody listens any more.
    #[must_use]
    pub fn follow(&self, call: Call<'_>) -> BoxStream<'static, Reply> {
        let Call { operation, variables, viewer } = call;
        let variables = match self.check(operation, variables, viewer.is_none()) {
            Ok(checked) => checked.variables,
            Err(errors) => return once(ready(Reply::refusals(errors))).boxed(),
        };
        let (executor, store) = (self.executor.clone(), self.store.clone());
        let (document, name) = (Arc::clone(operation.document), operation.name.map(str::to_owned));
        let responses = subscription::responses(move |purpose| {
            let context = RequestContext::new(store.clone(), viewer.clone(), Arc::default());
            let operation = document.operation(name.as_deref());
            let checked = operation.map_err(|error| vec![error]).and_then(|one| Checked::new(one, variables.clone()));
            match checked {
                Ok(checked) => executor.execute_stream(checked.request(context).data(purpose)),
                Err(errors) => once(ready(Response::from_errors(errors))).boxed(),
            }
        });
        let responses = AssertUnwindSafe(responses).catch_unwind();
        responses.map(|response| reply(response.unwrap_or_else(|_| fault()), false)).boxed()
    }

    /// All that can be wrong before an operation runs.
    fn check<'d>(
        &self,
        operation: Operation<'d>,
        variables: serde_json::Map<String, serde_json::Value>,
        is_anonymous: bool,
    ) -> Result<Checked<'d>, Vec<ServerError>> {
        if is_anonymous && operation.outline.is_personal {
            return Err(vec![coded(Code::Unauthenticated, UNAUTHENTICATED, None)]);
        }
        if !self.introspection && operation.outline.introspects {
            let message = "This server does not answer __schema and __type; use its schema.graphql.";
            return Err(vec![coded(Code::ValidationFailed, message, None)]);
        }
        let mut checked = Checked::new(operation, Variables::default())?;
        let declared = Declared {
            schema: &self.schema,
            definitions: &checked.ready.node.variables,
            not_null: &checked.ready.not_null,
            positions: operation.document.positions(),
        };
        checked.variables = declared.values(variables)?;
        rows::check(&checked.ready.roots, &checked.variables).map_err(|error| vec![error])?;
        Ok(checked)
    }
}

/// An operation of a valid document, with the values of its variables.
struct Checked<'d> {
    outline: &'d Outline,
    ready: &'d Ready,
    tree: &'d Valid<ExecutableDocument>,
    document: &'d Document,
    variables: Variables,
}

impl<'d> Checked<'d> {
    /// # Errors
    /// The problems of a document that is not valid.
    fn new(operation: Operation<'d>, variables: Variables) -> Result<Self, Vec<ServerError>> {
        let Operation { document, outline, .. } = operation;
        match (document.tree(), &outline.valid) {
            (Some(tree), Some(ready)) => Ok(Self { outline, ready, tree, document, variables }),
            _ => Err(document.problems().iter().map(ServerError::from).collect()),
        }
    }

    /// How it goes the fast path, where it does.
    fn plan(&self) -> Option<Arc<Plan>> {
        let positions = self.document.positions();
        self.ready.plans.as_ref()?.get(&self.ready.node, self.collect(), positions, &self.variables)
    }

    fn collect(&self) -> Collect<'_> {
        let conditions = Conditions::Known(&self.variables);
        Collect { schema: self.document.schema(), tree: self.tree, conditions }
    }

    /// What its introspection fields come to, as a JSON object; nothing where async-graphql answers all of its fields.
    fn introspect(&self) -> Option<Result<String, ServerError>> {
        let has_only_meta_fields = !self.outline.is_personal && self.outline.kind != OperationKind::Subscription;
        let is_introspection = has_only_meta_fields || self.outline.introspects;
        is_introspection.then(|| introspection::answer(&self.ready.node, self.collect(), &self.variables))
    }

    /// What async-graphql runs.
    fn request(&self, context: RequestContext) -> Request {
        let mut request = Request::new("").variables(self.variables.clone()).data(context);
        let converted = convert::operation(&self.ready.node, self.collect(), self.document.positions());
        request.set_parsed_query(converted);
        request
    }
}

fn fault() -> Response {
    Response::from_errors(vec![coded(Code::InternalServerError, FAULT, None)])
}

/// The library's response as an answer. Its own errors have no code: they come of arguments that it does not take.
fn reply(response: Response, has_written: bool) -> Reply {
    let Response { data, mut errors, .. } = response;
    let mut failed_validation = false;
    for error in &mut errors {
        if code_of(error).is_none() {
            failed_validation = true;
            error.extensions.get_or_insert_default().set("code", Code::ValidationFailed.as_str());
        }
    }
    // A field that is selected twice is resolved twice, and so fails twice.
    let mut seen = Vec::new();
    errors.retain(|error| {
        let is_new = error.path.is_empty() || !seen.contains(&error.path);
        seen.push(error.path.clone());
        is_new
    });
    let is_given_up = errors.iter().filter_map(code_of).any(Code::gives_up);
    let has_data = has_written || !(failed_validation || is_given_up);
    Reply { data: has_data.then_some(Data::Tree(data)), errors, way: Way::Executor }
}

impl From<Outcome> for Reply {
    fn from(outcome: Outcome) -> Self {
        let (data, errors) = match outcome {
            Outcome::Written(answer, errors) => (Some(Data::Written(answer)), errors),
            Outcome::Null(errors) => (Some(Data::Tree(Value::Null)), errors),
            Outcome::GivenUp(error) => (None, vec![error]),
        };
        Self { data, errors, way: Way::FastPath }
    }
}

impl Reply {
    /// An error and nothing else.
    #[must_use]
    pub fn refusal(error: ServerError) -> Self {
        Self::refusals(vec![error])
    }

    /// Errors and nothing else.
    fn refusals(errors: Vec<ServerError>) -> Self {
        Self { data: None, errors, way: Way::Refused }
    }

    /// Whether nothing of it was run: it was refused for what it is, not given up on the way.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.data.is_none() && !self.most_severe_code().is_some_and(Code::gives_up)
    }

    /// The most severe of the errors' codes; none where nothing went wrong.
    #[must_use]
    pub fn most_severe_code(&self) -> Option<Code> {
        most_severe(self.errors.iter().filter_map(code_of))
    }
}
