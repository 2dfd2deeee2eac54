//! Pages of changes: what has become of a user's tasks since a token.

use std::sync::Arc;

use super::reading::{self, ChangeKind, Changed, Place};
use super::sync_token::SyncToken;
use crate::domain::{Error, Problems, Store, Viewer};

/// Changes of a page where the client does not say.
pub const DEFAULT_SIZE: i32 = 100;
/// Most changes of a page.
pub const MAX_SIZE: i32 = 500;

/// Most bytes of the texts of a page: a page of long ones ends early.
const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;

/// A page of changes, oldest first, each object once.
#[derive(Clone, Debug)]
pub struct ChangePage {
    /// The changes.
    pub changes: Vec<Change>,
    /// Where the next page begins.
    pub sync_token: String,
    /// Whether there is a next page already.
    pub has_more: bool,
}

/// What has become of one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// What kind of change it is, seen from the token that the page went on from.
    pub kind: ChangeKind,
    /// The object.
    pub changed: Arc<Changed>,
    /// Where to go on after this change.
    pub sync_token: String,
}

/// A token from which [`changes`] misses nothing that happens from now on. One statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn sync_token(store: &Store, viewer: &Viewer) -> Result<String, Error> {
    Ok(reading::position(store, &viewer.id).await?.token().encode())
}

/// Reads the changes since a token; without one, all tasks there are. One statement, so that a purge of old
/// tombstones cannot come between them and the check of the token.
///
/// # Errors
/// [`Error::Invalid`] for a token that is none, or a size out of range; [`Error::SyncTokenExpired`];
/// [`Error::Unavailable`].
pub async fn changes(
    store: &Store,
    viewer: &Viewer,
    since: Option<String>,
    first: Option<i32>,
) -> Result<ChangePage, Error> {
    let (since, size) = check(since, first)?;
    let place = since.map_or(Place::START, |token| Place { revision: token.revision, head: Some(token.head) });
    let mut reading = reading::read(store, &viewer.id, place, size).await?;
    reading.cut(MAX_TEXT_BYTES)?;
    if let Some(token) = since {
        reading.position.check(token)?;
    }
    let head = place.head.unwrap_or(reading.position.revision);
    let token_at = |revision| SyncToken { of: reading.position.owner, revision, head }.encode();
    let sync_token = token_at(reading.reached());
    let change = |changed: Changed| Change {
        kind: changed.kind_since(place.revision),
        sync_token: token_at(changed.revision),
        changed: Arc::new(changed),
    };
    let changes = reading.changed.into_iter().map(change).collect();
    Ok(ChangePage { changes, sync_token, has_more: reading.has_more })
}

fn check(since: Option<String>, first: Option<i32>) -> Result<(Option<SyncToken>, usize), Error> {
    let mut problems = Problems::default();
    let since = since.and_then(|text| problems.check("since", parse(&text)));
    let first = first.unwrap_or(DEFAULT_SIZE);
    if !(1..=MAX_SIZE).contains(&first) {
        problems.add("first", format!("first is a number from 1 to {MAX_SIZE}, not {first}."));
    }
    problems.finish()?;
    Ok((since, usize::try_from(first).unwrap_or_default()))
}

/// A token, or what to say of a text that is none.
pub(super) fn parse(text: &str) -> Result<SyncToken, String> {
    let unreadable = "This is no sync token of ours; give one from taskChanges, or leave it out.";
    SyncToken::decode(text).ok_or_else(|| unreadable.into())
}
