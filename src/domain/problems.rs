//! What is wrong with an input, all of it, and the values that are good, as a patch has them.

use sea_orm::ActiveValue::{self, NotSet, Set};
use sea_orm::sea_query::{Nullable, Value};

use super::{Error, Problem};

/// What a client gives for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given<T> {
    /// Nothing: it is left out.
    Nothing,
    /// Null.
    Null,
    /// A value.
    Value(T),
}

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

/// Where null is the same as left out.
impl<T> From<Option<T>> for Given<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Self::Value)
    }
}

/// Collects problems, so that a caller hears of all of them at once.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes that `field` breaks a rule.
    pub fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(Problem { path: vec![field], message: message.into() });
    }

    /// Keeps the value, or notes what is wrong with `field`.
    pub fn check<T>(&mut self, field: &'static str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.add(field, message)).ok()
    }

    /// The value of a field that can't be cleared. What is left out stays.
    pub fn required<T, V: Into<Value>>(
        &mut self,
        field: &'static str,
        given: impl Into<Given<T>>,
        rule: impl FnOnce(T) -> Result<V, String>,
    ) -> ActiveValue<V> {
        match given.into() {
            Given::Nothing => NotSet,
            Given::Null => {
                self.add(field, format!("{field} can't be null; leave it out to keep it."));
                NotSet
            }
            Given::Value(value) => self.check(field, rule(value)).map_or(NotSet, Set),
        }
    }

    /// The value of a field that null clears. What is left out stays.
    pub fn optional<T, V: Into<Value> + Nullable>(
        &mut self,
        field: &'static str,
        given: impl Into<Given<T>>,
        rule: impl FnOnce(T) -> Result<V, String>,
    ) -> ActiveValue<Option<V>> {
        match given.into() {
            Given::Nothing => NotSet,
            Given::Null => Set(None),
            Given::Value(value) => self.check(field, rule(value)).map_or(NotSet, |value| Set(Some(value))),
        }
    }

    /// Succeeds where nothing was noted.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all that was noted.
    pub fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}
