//! `taskql schema`.

use super::Failure;
use crate::graphql::Api;

/// Prints the SDL, byte for byte schema.graphql.
#[expect(clippy::unnecessary_wraps, reason = "every command returns alike")]
pub(super) fn run() -> Result<(), Failure> {
    print!("{}", Api::sdl());
    Ok(())
}
