//! What the command line takes. The flags come from the table of settings, so that each has its variable.

use std::collections::HashMap;
use std::fmt::Write;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::config::{SETTINGS, VARIABLES_WITHOUT_FLAG};

/// The program's arguments.
pub(super) fn command() -> Command {
    Command::new("taskql")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A GraphQL API server for personal tasks")
        .after_help(after_help())
        .args(SETTINGS.iter().map(|setting| {
            let default = setting.default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
            Arg::new(setting.variable)
                .long(setting.flag())
                .value_name(setting.value)
                .help(format!("{} [env: {}]{default}", setting.help, setting.variable))
                .help_heading("Settings")
                .global(true)
        }))
        .subcommand(Command::new("serve").about("Serves; brings the database's schema up to date first (the default)"))
        .subcommand(
            Command::new("migrate")
                .about("Only brings the database's schema up to date")
                .arg(
                    Arg::new("status")
                        .long("status")
                        .action(ArgAction::SetTrue)
                        .conflicts_with("new-epoch")
                        .help("List what is applied and what is not, and change nothing"),
                )
                .arg(
                    Arg::new("new-epoch")
                        .long("new-epoch")
                        .action(ArgAction::SetTrue)
                        .help("Make all sync tokens expire; to be run after restoring a backup"),
                ),
        )
        .subcommand(
            Command::new("token")
                .about("Prints a token, signed with the configured secret or the development secret")
                .arg(Arg::new("sub").long("sub").value_name("ID").required(true).help("The user's id, 1 to 255 bytes"))
                .arg(Arg::new("email").long("email").value_name("EMAIL").help("The user's address"))
                .arg(Arg::new("name").long("name").value_name("NAME").help("The user's name"))
                .arg(
                    Arg::new("ttl")
                        .long("ttl")
                        .value_name("TIME")
                        .default_value("24h")
                        .value_parser(super::token::parse_ttl)
                        .help("How long it holds: a number with s, m, h or d"),
                ),
        )
        .subcommand(Command::new("schema").about("Prints the GraphQL schema (SDL)"))
}

/// The flags that were given, by variable.
pub(super) fn flags(matches: &ArgMatches) -> HashMap<String, String> {
    let given = |variable: &str| matches.get_one::<String>(variable).cloned();
    SETTINGS.iter().filter_map(|setting| Some((setting.variable.to_owned(), given(setting.variable)?))).collect()
}

fn after_help() -> String {
    let mut help = String::from("Variables without a flag:\n");
    for setting in VARIABLES_WITHOUT_FLAG {
        let default = setting.default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
        writeln!(help, "  {:<20} {}{default}", setting.variable, setting.help).expect("a string takes all");
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
    fn the_arguments_are_sound_and_every_setting_has_its_flag() {
        command().debug_assert();
        let given = command().try_get_matches_from(["taskql", "serve", "--listen", "[::1]:1", "--pool-size=3"]);
        let given = given.expect("flags are known");
        let flags = flags(given.subcommand().expect("serve").1);
        assert_eq!(flags.get("TASKQL_LISTEN").map(String::as_str), Some("[::1]:1"));
        assert_eq!(flags.get("TASKQL_POOL_SIZE").map(String::as_str), Some("3"));
    }
}
