//! A document, read with care. Its bytes are scanned before the parser sees them, and its size with all fragments
//! spread out is reckoned before validation, since both of these recurse without bounds of their own.

mod measure;
mod root;
mod scan;
mod strings;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_graphql::parser::types::{ExecutableDocument, Field, OperationType, VariableDefinition};
use async_graphql::parser::{self, parse_query};
use async_graphql::{Pos, Positioned, ServerError};

pub(super) use measure::MAX_SELECTION_NESTING;

use super::prepared::Prepared;
use crate::graphql::code::{Code, coded};

/// About what a selection takes in memory, with its names.
const BYTES_OF_A_SELECTION: usize = 512;

/// A document within the limits, whose operations can be looked at. It need not be valid.
pub struct Document {
    pub(super) parsed: ExecutableDocument,
    operations: Vec<Measured>,
    /// What is wrong with it against the schema, as far as our own checks go.
    pub(super) problems: Vec<ServerError>,
    /// Whether async-graphql has found it valid.
    pub(super) is_validated: AtomicBool,
    /// About what it takes in memory.
    pub(super) bytes: usize,
}

/// What is known of an operation before it is validated.
struct Measured {
    name: Option<String>,
    kind: OperationKind,
    variables: Vec<Positioned<VariableDefinition>>,
    roots: Vec<Positioned<Field>>,
    needs_sync_token: bool,
    prepared: Option<Prepared>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// It reads.
    Query,
    /// It writes.
    Mutation,
    /// It follows.
    Subscription,
}

/// One of a document's operations.
#[derive(Clone, Copy)]
pub struct Operation<'d> {
    /// The document that it stands in.
    pub document: &'d Arc<Document>,
    pub(super) variables: &'d [Positioned<VariableDefinition>],
    /// The fields that it selects at the root, fragments spread out.
    pub(super) roots: &'d [Positioned<Field>],
    /// Whether the sync token of a list is selected.
    pub(super) needs_sync_token: bool,
    /// How it goes the short way, where it does.
    pub(super) prepared: Option<&'d Prepared>,
    /// What it does.
    pub kind: OperationKind,
    /// Its name, where it has one.
    pub name: Option<&'d str>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// One of code `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED` or `QUERY_TOO_COMPLEX`.
    pub fn read(source: &str) -> Result<Self, ServerError> {
        let parsed = parse_query(scan::scan(source)?).map_err(|error| parse_error(&error))?;
        // The parser takes this name although it could not be told from a type condition (section 2.8).
        if let Some(fragment) = parsed.fragments.get("on") {
            return Err(parse_failed("a fragment cannot be named 'on'", Some(fragment.pos)));
        }
        let (measured, selections) = measure::measure(&parsed)?;
        let roots: usize = measured.iter().map(|operation| operation.roots.len()).sum();
        Ok(Self {
            operations: measured,
            parsed,
            problems: Vec::new(),
            is_validated: AtomicBool::new(false),
            bytes: 4 * source.len() + BYTES_OF_A_SELECTION * (selections + roots),
        })
    }

    /// Rewrites each subscription to the one field of its root; what is wrong with it is one problem more.
    pub(super) fn unify_roots(&mut self) {
        self.problems.extend(root::unify(&mut self.parsed));
    }

    /// The document, if nothing is known to be wrong with it.
    ///
    /// # Errors
    /// The first problem.
    pub(super) fn sound(self) -> Result<Self, ServerError> {
        self.problems.first().cloned().map_or(Ok(self), Err)
    }

    /// The operation to run: the one of that name, or the only one.
    ///
    /// # Errors
    /// `GRAPHQL_VALIDATION_FAILED` where that cannot be told.
    pub fn operation(self: &Arc<Self>, name: Option<&str>) -> Result<Operation<'_>, ServerError> {
        let measured = match (name, self.operations.as_slice()) {
            (None, [only]) => only,
            (None, _) => {
                let message = "The document has several operations; say in operationName which one to run.";
                return Err(coded(Code::ValidationFailed, message, None));
            }
            (Some(name), all) => all.iter().find(|op| op.name.as_deref() == Some(name)).ok_or_else(|| {
                coded(Code::ValidationFailed, format!("The document has no operation named '{name}'."), None)
            })?,
        };
        Ok(Operation {
            document: self,
            variables: &measured.variables,
            roots: &measured.roots,
            needs_sync_token: measured.needs_sync_token,
            prepared: measured.prepared.as_ref(),
            kind: measured.kind,
            name: measured.name.as_deref(),
        })
    }
}

impl OperationKind {
    /// The keyword.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

impl OperationKind {
    /// The name of the type at the root.
    pub(super) fn root_type(self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::Mutation => "Mutation",
            Self::Subscription => "Subscription",
        }
    }
}

impl From<OperationType> for OperationKind {
    fn from(kind: OperationType) -> Self {
        match kind {
            OperationType::Query => Self::Query,
            OperationType::Mutation => Self::Mutation,
            OperationType::Subscription => Self::Subscription,
        }
    }
}

impl Operation<'_> {
    /// Whether it selects, at its root, a field of which `is_field` holds.
    pub(super) fn asks_for(&self, is_field: impl Fn(&str) -> bool) -> bool {
        self.roots.iter().any(|field| is_field(&field.node.name.node))
    }
}

/// The parser's error in one line; its own text draws the source.
fn parse_error(error: &parser::Error) -> ServerError {
    let pos = error.positions().next();
    match error {
        parser::Error::Syntax { message, .. } => {
            let expected = message.rsplit_once("= ").map_or("unexpected input", |(_, expected)| expected.trim());
            parse_failed(expected, pos)
        }
        parser::Error::RecursionLimitExceeded => too_complex("The document is nested too deep.", pos),
        parser::Error::MissingOperation => {
            coded(Code::ValidationFailed, "The document has no operation, only fragments.", pos)
        }
        other => coded(Code::ValidationFailed, format!("{}.", capitalized(&other.to_string())), pos),
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn parse_failed(what: &str, pos: Option<Pos>) -> ServerError {
    coded(Code::ParseFailed, format!("Syntax error: {what}."), pos)
}

fn too_complex(message: impl Into<String>, pos: Option<Pos>) -> ServerError {
    coded(Code::QueryTooComplex, message, pos)
}
