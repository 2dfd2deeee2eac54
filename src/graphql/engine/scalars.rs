//! The forms of our own scalars. A schema says nothing of them.

use crate::graphql::schema::date_time::DateTime;

/// What a scalar is written as.
pub(super) struct Form {
    /// What a client should have written.
    pub(super) expected: &'static str,
    pub(super) is_good: fn(&str) -> bool,
}

/// The form of a scalar; nothing where it is one of GraphQL's own.
pub(super) fn form_of(scalar: &str) -> Option<Form> {
    match scalar {
        "DateTime" => Some(Form { expected: DateTime::EXPECTED, is_good: |text| DateTime::parse_text(text).is_some() }),
        _ => None,
    }
}
