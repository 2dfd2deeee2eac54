//! The API as a whole: a document in, an answer out, whatever transport carries them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::{
    EmptySubscription, Request, Response, SDLExportOptions, Schema, ServerError, ValidationMode, Value, Variables,
};
use futures_util::FutureExt;

use super::code::{Code, code_of, coded, most_severe};
use super::context::RequestContext;
use super::document::{Document, MAX_SELECTION_NESTING, Operation};
use super::error::FAULT;
use super::mutation::Mutation;
use super::query::Query;
use super::rows;
use super::validation::Types;
use crate::domain::{Store, Viewer};

/// The schema with all that it takes to run a document against it.
pub struct Api {
    schema: Schema<Query, Mutation, EmptySubscription>,
    types: Types,
    store: Store,
    introspection: bool,
}

/// A document to run.
pub struct Call<'d> {
    /// The document.
    pub document: &'d Document,
    /// Which of its operations.
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
    pub data: Option<Value>,
    /// What went wrong; each has its code.
    pub errors: Vec<ServerError>,
}

impl Api {
    /// The API over `store`.
    #[must_use]
    pub fn new(store: Store, introspection: bool) -> Self {
        let schema = Schema::build(Query, Mutation, EmptySubscription)
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
        Schema::new(Query, Mutation, EmptySubscription).sdl_with_options(options)
    }

    /// Reads a document and checks it against the limits, not yet against the schema.
    ///
    /// # Errors
    /// One of code `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED` or `QUERY_TOO_COMPLEX`.
    pub fn read(&self, source: &str) -> Result<Document, ServerError> {
        let mut document = Document::read(source)?;
        document.problems = self.types.problems(&document.parsed);
        Ok(document)
    }

    /// Runs one operation. A mutation's writes end whether or not this is awaited to its end.
    pub async fn execute(&self, call: Call<'_>) -> Reply {
        let Call { document, operation, variables, viewer } = call;
        let variables = match self.check(document, operation, variables, viewer.is_none()) {
            Ok(variables) => variables,
            Err(errors) => return Reply { data: None, errors },
        };
        let has_written = Arc::new(AtomicBool::new(false));
        let mut request = Request::new("").variables(variables).data(RequestContext::new(
            self.store.clone(),
            viewer,
            operation.needs_sync_token,
            Arc::clone(&has_written),
        ));
        request.operation_name = operation.name.map(str::to_owned);
        request.set_parsed_query(document.parsed.clone());
        let response = AssertUnwindSafe(self.schema.execute(request)).catch_unwind().await;
        let response =
            response.unwrap_or_else(|_| Response::from_errors(vec![coded(Code::InternalServerError, FAULT, None)]));
        reply(response, has_written.load(Ordering::Relaxed))
    }

    /// All that can be wrong before an operation runs, but for what async-graphql's validation finds.
    fn check(
        &self,
        document: &Document,
        operation: Operation<'_>,
        variables: serde_json::Map<String, serde_json::Value>,
        is_anonymous: bool,
    ) -> Result<Variables, Vec<ServerError>> {
        let root = operation.kind.root_type();
        if is_anonymous && operation.asks_for(|field| self.types.has_field(root, field)) {
            let message = "This needs a token: send the header 'Authorization: Bearer TOKEN'.";
            return Err(vec![coded(Code::Unauthenticated, message, None)]);
        }
        if !self.introspection && operation.asks_for(|field| matches!(field, "__schema" | "__type")) {
            let message = "This server does not answer __schema and __type; use its schema.graphql.";
            return Err(vec![coded(Code::ValidationFailed, message, None)]);
        }
        if !document.problems.is_empty() {
            return Err(document.problems.clone());
        }
        let variables = self.types.variables(operation.variables, variables)?;
        rows::check(operation, &variables).map_err(|error| vec![error])?;
        Ok(variables)
    }
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
    let codes = errors.iter().filter_map(code_of);
    let is_given_up = matches!(most_severe(codes), Some(Code::InternalServerError | Code::ServiceUnavailable));
    let has_data = has_written || !(failed_validation || is_given_up);
    Reply { data: has_data.then_some(data), errors }
}

impl Reply {
    /// The gravest of the errors' codes; none where nothing went wrong.
    #[must_use]
    pub fn gravest(&self) -> Option<Code> {
        most_severe(self.errors.iter().filter_map(code_of))
    }
}
