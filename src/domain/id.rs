//! Ids of what a user owns.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use uuid::Uuid;

/// The id of one of the nouns `N`.
pub struct Id<N> {
    /// The id.
    pub uuid: Uuid,
    noun: PhantomData<fn() -> N>,
}

impl<N> Id<N> {
    /// An id that nobody else has.
    #[must_use]
    pub fn random() -> Self {
        Uuid::now_v7().into()
    }

    /// Reads a UUID in its form with hyphens (RFC 9562, section 4), in either case; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let has_hyphens = text.len() == 36 && !text.starts_with(['{', 'u', 'U']);
        has_hyphens.then(|| Uuid::try_parse(text).ok()).flatten().map(Self::from)
    }
}

impl<N> From<Uuid> for Id<N> {
    fn from(uuid: Uuid) -> Self {
        Self { uuid, noun: PhantomData }
    }
}

impl<N> fmt::Display for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.hyphenated().fmt(f)
    }
}

impl<N> fmt::Debug for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// By hand, since a derive would ask the same of `N`.
impl<N> Clone for Id<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Id<N> {}

impl<N> PartialEq for Id<N> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}

impl<N> Eq for Id<N> {}

impl<N> Hash for Id<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
