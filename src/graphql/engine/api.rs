//! The API as a whole: a document in, an answer out, whatever transport carries them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::{Request, Response, SDLExportOptions, Schema, ServerError, ValidationMode, Value, Variables};
use futures_util::FutureExt;
use futures_util::future::ready;
use futures_util::stream::{BoxStream, StreamExt, once};

use super::document::{Document, MAX_SELECTION_NESTING, Operation};
use super::prepared::Outcome;
use super::rows;
use super::validation::Types;
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
    schema: Schema<Query, Mutation, Subscription>,
    types: Types,
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
}

/// What was asked for.
#[derive(Debug)]
pub enum Data {
    /// To be written.
    Tree(Value),
    /// The whole answer, written already: `{"data": …}`. There are no errors beside it.
    Written(String),
}

impl Api {
    /// The API over `store`.
    #[must_use]
    pub fn new(store: Store, introspection: bool) -> Self {
        let schema = Schema::build(Query, Mutation, Subscription)
            // Our own limits come first and have codes; this one only must not be below them.
            .limit_recursive_depth(MAX_SELECTION_NESTING + 1)
            .validation_mode(ValidationMode::Strict)
            .finish();
        let types = Types::of(&schema.sdl());
        Self { schema, types, store, introspection }
    }

    /// The schema, as schema.graphql has it.
    #[must_use]
    pub fn sdl() -> String {
        let options =
            SDLExportOptions::new().include_specified_by().prefer_single_line_descriptions().use_space_ident();
        Schema::new(Query, Mutation, Subscription).sdl_with_options(options)
    }

    /// Reads a document and checks it against the limits, not yet against the schema.
    ///
    /// # Errors
    /// One of code `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED` or `QUERY_TOO_COMPLEX`.
    pub fn read(&self, source: &str) -> Result<Document, ServerError> {
        let mut document = Document::read(source)?;
        document.problems = self.types.problems(&document.parsed);
        document.unify_roots();
        Ok(document)
    }

    /// Runs one operation. A mutation's writes end whether or not this is awaited to its end.
    pub async fn execute(&self, call: Call<'_>) -> Reply {
        let Call { operation, variables, viewer } = call;
        let variables = match self.check(operation, variables, viewer.is_none()) {
            Ok(variables) => variables,
            Err(errors) => return Reply { data: None, errors },
        };
        if let (Some(prepared), Some(viewer), true) =
            (operation.prepared, &viewer, operation.document.is_validated.load(Ordering::Relaxed))
        {
            let outcome = AssertUnwindSafe(prepared.run(&self.store, viewer, &variables)).catch_unwind().await;
            match outcome {
                Ok(Outcome::Written(answer)) => return Reply { data: Some(Data::Written(answer)), errors: Vec::new() },
                Ok(Outcome::GivenUp(error)) => return Reply::refusal(error),
                Ok(Outcome::Plain) => {}
                Err(_) => return reply(fault(), false),
            }
        }
        // In a box: a future is as large as the largest that it may come to await, and is moved several times on its way.
        Box::pin(self.resolve(operation, variables, viewer)).await
    }

    /// Runs an operation as async-graphql does.
    async fn resolve(&self, operation: Operation<'_>, variables: Variables, viewer: Option<Viewer>) -> Reply {
        let (store, has_written) = (self.store.clone(), Arc::new(AtomicBool::new(false)));
        let context = RequestContext::new(store, viewer, operation.needs_sync_token, Arc::clone(&has_written));
        let request = request(operation.document, operation.name.map(str::to_owned), variables, context);
        let response = AssertUnwindSafe(self.schema.execute(request)).catch_unwind().await;
        let reply = reply(response.unwrap_or_else(|_| fault()), has_written.load(Ordering::Relaxed));
        operation.document.is_validated.fetch_or(reply.is_valid(), Ordering::Relaxed);
        reply
    }

    /// Follows a subscription. The stream ends with an error, or when nobody listens any more.
    #[must_use]
    pub fn follow(&self, call: Call<'_>) -> BoxStream<'static, Reply> {
        let Call { operation, variables, viewer } = call;
        let variables = match self.check(operation, variables, viewer.is_none()) {
            Ok(variables) => variables,
            Err(errors) => return once(ready(Reply { data: None, errors })).boxed(),
        };
        let (schema, store) = (self.schema.clone(), self.store.clone());
        let (document, name) = (Arc::clone(operation.document), operation.name.map(str::to_owned));
        let responses = subscription::responses(move |purpose| {
            let context = RequestContext::new(store.clone(), viewer.clone(), false, Arc::default());
            schema.execute_stream(request(&document, name.clone(), variables.clone(), context).data(purpose))
        });
        let responses = AssertUnwindSafe(responses).catch_unwind();
        responses.map(|response| reply(response.unwrap_or_else(|_| fault()), false)).boxed()
    }

    /// All that can be wrong before an operation runs, but for what async-graphql's validation finds.
    fn check(
        &self,
        operation: Operation<'_>,
        variables: serde_json::Map<String, serde_json::Value>,
        is_anonymous: bool,
    ) -> Result<Variables, Vec<ServerError>> {
        let root = operation.kind.root_type();
        if is_anonymous && operation.asks_for(|field| self.types.has_field(root, field)) {
            return Err(vec![coded(Code::Unauthenticated, UNAUTHENTICATED, None)]);
        }
        if !self.introspection && operation.asks_for(|field| matches!(field, "__schema" | "__type")) {
            let message = "This server does not answer __schema and __type; use its schema.graphql.";
            return Err(vec![coded(Code::ValidationFailed, message, None)]);
        }
        let problems = &operation.document.problems;
        if !problems.is_empty() {
            return Err(problems.clone());
        }
        let variables = self.types.variables(operation.variables, variables)?;
        rows::check(operation, &variables).map_err(|error| vec![error])?;
        Ok(variables)
    }
}

/// What async-graphql runs, once all is checked.
fn request(document: &Document, name: Option<String>, variables: Variables, context: RequestContext) -> Request {
    let mut request = Request::new("").variables(variables).data(context);
    request.operation_name = name;
    request.set_parsed_query(document.parsed.clone());
    request
}

fn fault() -> Response {
    Response::from_errors(vec![coded(Code::InternalServerError, FAULT, None)])
}

/// The library's response as an answer. Its own errors have no code: they come of validation, or of arguments that
/// validation let pass.
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
    Reply { data: has_data.then_some(Data::Tree(data)), errors }
}

impl Reply {
    /// An error and nothing else.
    #[must_use]
    pub fn refusal(error: ServerError) -> Self {
        Self { data: None, errors: vec![error] }
    }

    /// Whether its document is known to be valid by now.
    fn is_valid(&self) -> bool {
        self.data.is_some() && self.gravest() != Some(Code::ValidationFailed)
    }

    /// Whether nothing of it was run: it was refused for what it is, not given up on the way.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.data.is_none() && !self.gravest().is_some_and(Code::gives_up)
    }

    /// The gravest of the errors' codes; none where nothing went wrong.
    #[must_use]
    pub fn gravest(&self) -> Option<Code> {
        most_severe(self.errors.iter().filter_map(code_of))
    }
}
