//! What is wrong with a document against the schema, as it is remembered and told.

use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::validation::DiagnosticList;
use async_graphql::{Pos, ServerError};

use super::collect::Collect;
use super::position::Positions;
use crate::graphql::code::{Code, coded};

/// What messages of validation say where it goes on with a document that lacks what is wrong.
const LEFT_OUT: [&str; 3] =
    ["does not have a field", "is not a type defined in the schema", "must not have subselections"];
/// Most problems that a client hears of at once.
pub(super) const MAX_PROBLEMS: usize = 20;
/// Most of what validation finds that is looked at: values can be wrong by the thousand.
const MAX_LOOKED_AT: usize = 10 * MAX_PROBLEMS;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    message: Box<str>,
    pos: Pos,
}

/// What is wrong, each once, and no more than clients hear of.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, message: impl Into<Box<str>>, pos: Pos) {
        let problem = Problem { message: message.into(), pos };
        // A fragment is looked at for each operation that uses it.
        if !self.is_full() && !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_PROBLEMS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what validation has found, in the order of the document.
    pub(super) fn add_all(&mut self, found: &DiagnosticList, collect: Collect<'_>, positions: &Positions) {
        let told = found.iter().map(|one| (one.error.to_string(), one.error.location()));
        let told = told.filter(|(message, location)| !is_one_field(message, *location, collect));
        let told: Vec<_> = told.take(MAX_LOOKED_AT).collect();
        let is_partial = told.iter().any(|(message, _)| LEFT_OUT.iter().any(|what| message.contains(what)));
        for (message, location) in told {
            if self.is_full() {
                return;
            }
            if !(is_partial && is_consequence(&message, location, positions.text())) {
                self.add(sentence(&message), positions.of(location));
            }
        }
    }

    pub(super) fn finish(self) -> Box<[Problem]> {
        self.0.into()
    }
}

/// Whether several fields at a subscription's root, which validation refuses, are of one response key: then they are one
/// field of the answer (GraphQL, section 5.2.4.1).
fn is_one_field(message: &str, location: Option<SourceSpan>, collect: Collect<'_>) -> bool {
    if !message.ends_with("can only have one root field") {
        return false;
    }
    let operation = collect.tree.operations.iter().find(|operation| operation.location() == location);
    let roots = operation.map(|operation| collect.fields([&operation.selection_set]));
    roots.is_some_and(|roots| roots.len() == 1)
}

/// Whether something is a problem only because another one left a part of the document out: the last field of a set, the
/// only use of a variable or of a fragment.
fn is_consequence(message: &str, location: Option<SourceSpan>, text: &str) -> bool {
    let written = location.and_then(|location| text.get(location.offset()..location.end_offset())).unwrap_or_default();
    // A name in its definition, and once more.
    let is_used = |name: &str| {
        let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '$';
        text.split(|char| !is_part(char)).filter(|word| *word == name).count() > 1
    };
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    match message {
        _ if message.ends_with("must have a subselection set") => written.trim_end().ends_with('}'),
        _ if message.starts_with("unused variable") => is_used(quoted()),
        _ if message.ends_with("must be used in an operation") => is_used(quoted()),
        _ => false,
    }
}

impl Problem {
    /// What it takes in memory, beside itself.
    pub(super) fn bytes(&self) -> usize {
        self.message.len()
    }
}

impl From<&Problem> for ServerError {
    fn from(problem: &Problem) -> Self {
        coded(Code::ValidationFailed, &*problem.message, Some(problem.pos))
    }
}

/// A message as a sentence.
pub(super) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    let mut sentence: String = first.chain(chars).collect();
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}
