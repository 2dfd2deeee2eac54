//! What the command line takes, and what is wrong with one, in a line.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{ConfigError, PRIVATE_VARIABLES, Settings};

#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Serve, once the database's schema is up to date (the default)
    Serve,
    /// Only bring the database's schema up to date
    Migrate {
        /// List what is applied and what is not, and change nothing
        #[arg(long, conflicts_with = "new_epoch")]
        status: bool,
        /// Make all sync tokens expire; to be run after restoring a backup
        #[arg(long)]
        new_epoch: bool,
    },
    /// Print a token, signed with the configured secret or the development secret
    Token {
        /// The user's id, 1 to 255 bytes
        #[arg(long, value_name = "ID")]
        sub: String,
        /// The user's email address
        #[arg(long)]
        email: Option<String>,
        /// The user's name
        #[arg(long)]
        name: Option<String>,
        /// How long the token is valid: a number with s, m, h or d
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = super::token::parse_ttl)]
        ttl: Duration,
    },
    /// Ask the server at the configured address whether it lives; exit code 0 or 1
    Health,
    /// Print the GraphQL schema (SDL)
    Schema,
}

/// Reads the command line: what to do, and the flags. Prints help or the version where that is asked for.
pub(super) fn read() -> Result<(Command, ArgMatches), ConfigError> {
    let read = command().try_get_matches().and_then(|matches| Ok((Arguments::from_arg_matches(&matches)?, matches)));
    match read {
        Ok((arguments, matches)) => Ok((arguments.command.unwrap_or(Command::Serve), matches)),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => error.exit(),
        Err(error) => Err(describe(&error)),
    }
}

fn command() -> clap::Command {
    // The flags bring the description of their struct along.
    Settings::flags(Arguments::command()).about(env!("CARGO_PKG_DESCRIPTION")).after_help(after_help())
}

/// An error in a line. Values are left out: they may be secrets that were put in the wrong place.
fn describe(error: &clap::Error) -> ConfigError {
    let text = |kind| error.get(kind).map(ToString::to_string);
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(all)) => all.first().cloned(),
        _ => text(ContextKind::InvalidArg),
    };
    // An option has the name of its value behind it.
    let argument = argument.as_deref().and_then(|argument| argument.split([' ', '=']).next()).unwrap_or_default();
    let is_option = argument.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && argument.starts_with('-');
    let what = match error.kind() {
        ErrorKind::ValueValidation => error.source().map(ToString::to_string).unwrap_or_default(),
        ErrorKind::InvalidValue | ErrorKind::TooFewValues => "needs a value".to_owned(),
        ErrorKind::TooManyValues => "takes no value".to_owned(),
        ErrorKind::MissingRequiredArgument => "missing".to_owned(),
        ErrorKind::ArgumentConflict => match text(ContextKind::PriorArg) {
            Some(prior) if !prior.starts_with(argument) => format!("cannot be used together with {prior}"),
            _ => "given more than once".to_owned(),
        },
        ErrorKind::UnknownArgument if is_option => match text(ContextKind::SuggestedArg) {
            Some(similar) => format!("there is no such option; there is {similar}"),
            None => "there is no such option".to_owned(),
        },
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => {
            let commands = Arguments::command();
            let names: Vec<_> = commands.get_subcommands().map(clap::Command::get_name).collect();
            format!("an argument is neither a command nor an option; commands are {}", names.join(", "))
        }
        kind => kind.as_str().unwrap_or("cannot be understood").to_owned(),
    };
    let setting = if is_option { argument } else { "command line" };
    ConfigError::new(setting, format!("{what}; see 'taskql --help'"))
}

fn after_help() -> String {
    let mut help = String::from("Variables without a flag; NAME_FILE can name a file with the value instead:\n");
    for (name, meaning) in PRIVATE_VARIABLES {
        writeln!(help, "  {name}\n          {meaning}").expect("a string takes all");
    }
    help.push_str(
        "\nA flag goes before the environment, the environment before a .env file in the working directory; an empty \
         value counts as unset. With no secret set, on a loopback address, the server runs in development mode: it \
         makes a secret of its own and prints the address of GraphiQL and a token.",
    );
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        command().debug_assert();
    }

    #[test]
    fn what_is_wrong_with_arguments_is_one_line_without_their_values() {
        for (arguments, expected) in [
            (&["--listen"][..], "--listen: needs a value"),
            (&["--listen", "a", "--listen", "b"], "--listen: given more than once"),
            (&["--listn=hunter2"], "--listn: there is no such option; there is --listen"),
            (&["--jwt-secret=hunter2"], "--jwt-secret: there is no such option"),
            (&["--jwt-secret", "hunter2"], "--jwt-secret: there is no such option"),
            (&["-p", "hunter2"], "-p: there is no such option"),
            (&["hunter2"], "command line: an argument is neither a command nor an option; commands are serve,"),
            (&["serve", "hunter2"], "command line: an argument is neither"),
            (&["--", "hunter2"], "command line: an argument is neither"),
            (&["postgres://ada:hunter2@db/tasks"], "command line: an argument is neither"),
            (&["migrate", "--status=hunter2"], "--status: takes no value"),
            (&["migrate", "--status", "--new-epoch"], "--status: cannot be used together with --new-epoch"),
            (&["token"], "--sub: missing"),
            (&["token", "--sub", "a", "--ttl", "1w"], "--ttl: '1w' is not a time such as"),
        ] {
            let arguments = ["taskql"].iter().chain(arguments);
            let matches = command().try_get_matches_from(arguments.clone());
            let outcome = matches.and_then(|matches| Arguments::from_arg_matches(&matches));
            let message = describe(&outcome.err().expect("refused")).to_string();
            assert!(message.starts_with(expected) && message.ends_with("; see 'taskql --help'"), "{message}");
            assert!(!message.contains('\n') && !message.contains("hunter2"), "{message}");
        }
    }
}
