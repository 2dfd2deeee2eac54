//! What is wrong with a document against the schema, as it is remembered and told.

use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::validation::DiagnosticList;
use async_graphql::{Pos, ServerError};

use super::collect::Collect;
use super::position::Positions;
use crate::graphql::code::{Code, coded};

/// Most problems that a client hears of at once.
pub(super) const MAX_PROBLEMS: usize = 20;

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
        for diagnostic in found.iter() {
            if self.is_full() {
                return;
            }
            let message = diagnostic.error.to_string();
            let location = diagnostic.error.location();
            let is_rooted_in_one_field = || {
                let operation = collect.tree.operations.iter().find(|operation| operation.location() == location);
                let roots = operation.map(|operation| collect.fields([&operation.selection_set]));
                roots.is_some_and(|roots| roots.len() == 1)
            };
            // Several fields of one response key are one field of the answer (GraphQL, section 5.2.4.1).
            if message.ends_with("can only have one root field") && is_rooted_in_one_field() {
                continue;
            }
            self.add(sentence(&message), positions.of(location));
        }
    }

    pub(super) fn finish(self) -> Box<[Problem]> {
        self.0.into()
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
