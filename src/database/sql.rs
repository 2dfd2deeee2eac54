//! Statements as text. SeaORM's builder takes as long for a list's statement as the server takes to read the request.

use sea_orm::sea_query::Value;

/// A statement that grows, and its values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sql {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Sql {
    /// A statement without values.
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds a piece of text.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a value at the end of the text.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        let name = self.parameter(value);
        self.push(&name)
    }

    /// Adds values at the end of the text, with commas between them.
    pub(crate) fn bind_all(&mut self, values: impl IntoIterator<Item = impl Into<Value>>) -> &mut Self {
        for (nth, value) in values.into_iter().enumerate() {
            self.push(if nth == 0 { "" } else { ", " }).bind(value);
        }
        self
    }

    /// Adds a value, and says how the text names it. Both databases read that alike.
    pub(crate) fn parameter(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// The text so far, for tests that look at its plan.
    pub(crate) fn into_parts(self) -> (String, Vec<Value>) {
        (self.text, self.values)
    }
}
