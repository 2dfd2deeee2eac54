//! Sync tokens: how far a client has followed its user's changes, opaque to clients.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::domain::UserId;

/// The form of the bytes below; a new form gets a new number.
const FORM: u8 = 1;
const CHECKSUM_BYTES: usize = 4;

/// A place among the changes of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SyncToken {
    /// Whose changes, in which epoch of the database.
    pub(super) of: Owner,
    /// The change up to which the client has everything.
    pub(super) revision: i64,
    /// Where a load from nothing began: what was deleted before, the client never had.
    pub(super) head: i64,
}

/// A user in an epoch, in few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner([u8; 8]);

impl Owner {
    pub(super) fn new(user: &UserId, epoch: &str) -> Self {
        let digest = Sha256::new().chain_update(epoch).chain_update([0]).chain_update(user.as_str()).finalize();
        Self(std::array::from_fn(|nth| digest[nth]))
    }
}

impl SyncToken {
    /// The token as clients see it: base64url of form, owner, revision, head, checksum.
    pub(super) fn encode(&self) -> String {
        let mut bytes = vec![FORM];
        bytes.extend(self.of.0);
        bytes.extend(self.revision.to_be_bytes());
        bytes.extend(self.head.to_be_bytes());
        bytes.extend(checksum(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; `None` for whatever [`encode`](Self::encode) cannot have made.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        let (form, rest) = body.split_first()?;
        let (of, rest) = rest.split_first_chunk::<8>()?;
        let (revision, rest) = rest.split_first_chunk::<8>()?;
        let head = rest.try_into().ok()?;
        let token = Self { of: Owner(*of), revision: i64::from_be_bytes(*revision), head: i64::from_be_bytes(head) };
        let is_ours = *form == FORM && *sum == checksum(body) && token.revision >= 0 && token.head >= 0;
        is_ours.then_some(token)
    }
}

/// Tells a token from a text that was mistyped or cut, not from one that was made up.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::digest(bytes);
    std::array::from_fn(|nth| digest[nth])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_comes_back_as_it_was(revision in 0_i64..=i64::MAX, head in 0_i64..=i64::MAX, user in "[^\0]{1,20}") {
            let of = Owner::new(&UserId::new(&user).expect("an id"), "epoch");
            let token = SyncToken { of, revision, head };
            prop_assert_eq!(SyncToken::decode(&token.encode()), Some(token));
        }

        #[test]
        fn a_token_with_one_character_changed_is_none_of_ours(at in 0_usize..39, to in "[A-Za-z0-9_-]") {
            let of = Owner::new(&UserId::new("ada").expect("an id"), "epoch");
            let good = SyncToken { of, revision: 7, head: 3 }.encode();
            let mut bad = good.clone();
            bad.replace_range(at..=at, &to);
            prop_assume!(bad != good);
            prop_assert_eq!(SyncToken::decode(&bad), None);
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,60}") {
            prop_assert_eq!(SyncToken::decode(&text), None);
        }
    }

    #[test]
    fn owners_differ_by_user_and_by_epoch() {
        let [ada, bob] = ["ada", "bob"].map(|id| UserId::new(id).expect("an id"));
        assert_ne!(Owner::new(&ada, "a"), Owner::new(&bob, "a"));
        assert_ne!(Owner::new(&ada, "a"), Owner::new(&ada, "b"));
    }
}
