//! Why a token was refused.

use std::sync::Arc;

/// Why a token was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is invalid or expired.
    Invalid(InvalidToken),
    /// It cannot be checked: the provider's keys are missing. The cause is for the log.
    Unavailable(Arc<str>),
}

impl From<InvalidToken> for TokenError {
    fn from(invalid: InvalidToken) -> Self {
        Self::Invalid(invalid)
    }
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidToken {
    /// The header is not `Bearer` and a token.
    NotBearer,
    /// The header comes twice.
    Repeated,
    /// It is no JSON Web Token, or longer than any.
    Malformed,
    /// Its header asks for what we do not do: another algorithm, another type, critical extensions.
    Unsupported,
    /// It names an unknown key.
    UnknownKey,
    /// Somebody else signed it, or it was changed.
    Signature,
    /// `exp` has passed.
    Expired,
    /// `nbf` is still to come.
    NotYetValid,
    /// A claim is missing or not what it must be.
    Claim(&'static str),
    /// The claim that is to say who the user is, where that is not `sub`, is missing or not what it must be.
    UserClaim,
}

impl InvalidToken {
    /// A sentence for the one who sent it.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::NotBearer => "Send the Authorization header as 'Bearer' and a token.".into(),
            Self::Repeated => "Send one Authorization header, not several.".into(),
            Self::Malformed => "The token is not a JSON Web Token.".into(),
            Self::Unsupported => "The token's header asks for an algorithm or a feature that is not accepted.".into(),
            Self::UnknownKey => "The token is signed with a key that is not known here.".into(),
            Self::Signature => "The token's signature does not match.".into(),
            Self::Expired => "The token has expired; get a fresh one.".into(),
            Self::NotYetValid => "The token is not valid yet.".into(),
            Self::UserClaim => "The token's claim for the user's id is missing or not accepted.".into(),
            Self::Claim(claim) => format!("The token's '{claim}' claim is missing or not accepted."),
        }
    }
}
