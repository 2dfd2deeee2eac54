//! Statements as text. What is asked all day is written by hand: SeaORM's builder takes as long for such a statement as
//! the server takes to read the request.

use sea_orm::sea_query::{Value, Values};
use sea_orm::{DbBackend, Statement};

/// A statement that grows, and its values.
#[derive(Debug, Default)]
pub(super) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Adds a piece of text.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a value where the text has come to.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        let name = self.parameter(value);
        self.push(&name)
    }

    /// Adds a value, and says how the text names it; both databases read that alike.
    pub(super) fn parameter(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// The statement.
    pub(super) fn finish(self, backend: DbBackend) -> Statement {
        Statement { sql: self.text, values: Some(Values(self.values)), db_backend: backend }
    }
}
