//! `taskql schema`.

use crate::graphql::Api;

/// Prints the SDL, byte for byte schema.graphql.
pub(super) fn run() {
    print!("{}", Api::sdl());
}
