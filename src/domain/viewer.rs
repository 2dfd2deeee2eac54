//! Who is asking.

use std::fmt;
use std::sync::Arc;

use super::Instant;
use crate::database::Author;

/// A user's id: the `sub` claim of the token, 1 to 255 bytes without NUL.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

impl UserId {
    /// Most bytes of an id.
    pub const MAX_BYTES: usize = 255;

    /// Takes a `sub` claim; `None` where it is empty, too long or has a NUL.
    #[must_use]
    pub fn new(sub: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_BYTES).contains(&sub.len()) && !sub.contains('\0');
        fits.then(|| Self(sub.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The user for whom a verified token speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Who it is.
    pub id: UserId,
    /// The token's `email` claim.
    pub email: Option<Arc<str>>,
    /// The token's `name` claim.
    pub name: Option<Arc<str>>,
}

impl Viewer {
    /// The viewer as one who writes at `now`.
    pub(super) fn author(&self, now: Instant) -> Author<'_> {
        Author { id: self.id.as_str(), email: self.email.as_deref(), name: self.name.as_deref(), now }
    }
}
