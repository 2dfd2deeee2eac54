//! No secret in any output: the binary with every setting, good and bad, from every source, at the most talkative log.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use url::Url;

use crate::support::{Key, Provider, TestDatabase, folder, request, taskql};

/// A part of every secret of these tests.
const NEEDLE: &str = "hunter2";
const SECRET: &str = "hunter2 signs, with 32 bytes and more";
const PREVIOUS: &str = "hunter2 signed before, with 32 bytes";
const BETTER_AUTH: &str = "hunter2 signs elsewhere, with 32 bytes";

/// The settings with a flag: a value that serves, and one that does not.
const SETTINGS: [(&str, &str, &str); 18] = [
    ("TASKQL_LISTEN", "localhost:0", "localhost"),
    (
        "TASKQL_JWKS_URL",
        "https://ada:hunter2@issuer.invalid/jwks?key=hunter2",
        "http://ada:hunter2@issuer.invalid/jwks",
    ),
    ("TASKQL_JWT_ISSUER", "https://one.example,https://two.example", ","),
    ("TASKQL_JWT_AUDIENCE", "tasks", ","),
    ("TASKQL_JWT_USER_CLAIM", "uid", "exp"),
    ("TASKQL_CORS_ORIGINS", "https://*.example.com", "https://example.com/path"),
    ("TASKQL_INTROSPECTION", "false", "perhaps"),
    ("TASKQL_GRAPHIQL", "true", "perhaps"),
    ("TASKQL_TRUSTED_DOCUMENTS", "documents.json", "nowhere.json"),
    ("TASKQL_RATE_LIMIT", "0", "-1"),
    ("TASKQL_MAX_IN_FLIGHT", "4", "0"),
    ("TASKQL_MAX_TASKS", "4", "-1"),
    ("TASKQL_TRUSTED_PROXIES", "10.0.0.0/8,::1", "10.0.0.0/33"),
    ("TASKQL_POOL_SIZE", "2", "10001"),
    ("TASKQL_MIGRATE", "false", "perhaps"),
    ("TASKQL_DEV", "false", "perhaps"),
    ("TASKQL_LOG", "trace,sea_orm=trace,sea_orm::driver::sqlx_sqlite=trace,sqlx=trace", "verbose"),
    ("TASKQL_LOG_FORMAT", "json", "xml"),
];

/// Those without.
const PRIVATE: [(&str, &[&str]); 4] = [
    (
        "DATABASE_URL",
        &[
            "hunter2",
            "mysql://ada:hunter2@localhost/x",
            "postgres://ada:7?hunter2@host/db",
            "postgres://ada:7/hunter2@host/db",
            "postgres://ada:7#hunter2@host/db",
            "postgres://ada:hunter2?x@host/db",
            "postgres://localhost/db?sslmode=hunter2",
            "postgres://localhost/db?password=hunter2&hunter2=x",
            "postgres://ada:hunter2@127.0.0.1:1/db",
            "postgres://127.0.0.1:1/db?user=ada&password=hunter2",
            "sqlite:x.db?key=hunter2",
        ],
    ),
    ("TASKQL_JWT_SECRET", &["hunter2"]),
    ("TASKQL_JWT_PREVIOUS_SECRET", &["hunter2"]),
    ("BETTER_AUTH_SECRET", &["hunter2"]),
];

fn shows_nothing(output: &str) {
    let line = output.lines().find(|line| line.contains(NEEDLE) || line.contains("aHVudGVyM"));
    assert!(line.is_none(), "{line:?}");
}

/// What a run of the binary printed, on both streams.
async fn output_of(mut command: Command) -> (Option<i32>, String) {
    let output =
        tokio::time::timeout(Duration::from_secs(30), command.output()).await.expect("it ends").expect("it runs");
    (output.status.code(), [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text")).concat())
}

/// Serves until it listens, sends it what logs are written of, and stops it. All that it printed.
async fn serve(folder: &Path, variables: &[(&str, &str)]) -> String {
    let mut command = taskql(folder, variables);
    let mut server = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut log = BufReader::new(server.stderr.take().expect("piped"));
    let mut output = String::new();
    let address = loop {
        let begin = output.len();
        assert!(log.read_line(&mut output).await.expect("text") > 0, "it listens: {output}");
        let line = &output[begin..];
        // In the text and in the JSON form of the log.
        let address = line.contains("listening").then(|| line.split_once("address")).flatten();
        if let Some((_, rest)) = address {
            let is_of_address = |character: char| character.is_ascii_digit() || matches!(character, '.' | ':');
            let rest = rest.trim_start_matches(['=', '"', ':']);
            break rest.split(|character| !is_of_address(character)).next().expect("an address").to_owned();
        }
    };
    let token = output_of({
        let mut command = taskql(folder, variables);
        command.args(["token", "--sub", "ada", "--log", "info"]);
        command
    });
    let token = token.await.1.trim().to_owned();
    let query = json!({"query": "{ viewer { id } tasks { totalCount } }"}).to_string();
    for authorization in [format!("Bearer {token}"), format!("Bearer {SECRET}"), format!("Basic {SECRET}")] {
        let headers = format!("authorization: {authorization}\r\ncontent-type: application/json\r\n");
        request(&address, "POST", "/graphql", &headers, query.as_bytes()).await.expect("an answer");
    }
    let id = server.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().await.expect("kill runs").success());
    log.read_to_string(&mut output).await.expect("text");
    server.stdout.take().expect("piped").read_to_string(&mut output).await.expect("text");
    assert!(server.wait().await.expect("it ends").success(), "{output}");
    assert!(!output.contains(&token), "a token is logged");
    output
}

/// A folder with what libraries read besides our settings: a password file with a line that is none.
fn folder_with_files() -> std::path::PathBuf {
    let folder = folder();
    let passwords = folder.join(".pgpass");
    std::fs::write(&passwords, "hunter2\nlocalhost:5432:*:ada\n*:*:*:*:hunter2\n").expect("written");
    std::fs::set_permissions(&passwords, std::fs::Permissions::from_mode(0o600)).expect("set");
    std::fs::write(folder.join("documents.json"), r#"{"viewer": "{ viewer { id } }"}"#).expect("written");
    folder
}

/// The same database with a password in its URL, which the server of the tests does not ask for.
fn with_password(database: &TestDatabase) -> String {
    match database.url.strip_prefix("sqlite:") {
        Some(_) => database.url.clone(),
        None => {
            let mut url: Url = database.url.parse().expect("a URL");
            url.set_password(Some(NEEDLE)).expect("a URL with a host");
            url.into()
        }
    }
}

#[tokio::test]
async fn no_good_setting_shows_a_secret() {
    let (folder, database) = (folder_with_files(), TestDatabase::migrated().await);
    let (home, url) = (folder.display().to_string(), with_password(&database));
    let base = [
        ("HOME", home.as_str()),
        ("PGPASSWORD", NEEDLE),
        ("HTTPS_PROXY", "http://ada:hunter2@127.0.0.1:1"),
        ("DATABASE_URL", &url),
        ("TASKQL_JWT_SECRET", SECRET),
        ("TASKQL_JWT_PREVIOUS_SECRET", PREVIOUS),
        ("BETTER_AUTH_SECRET", BETTER_AUTH),
        ("TASKQL_LISTEN", "127.0.0.1:0"),
        ("TASKQL_LOG", "trace"),
    ];
    for (name, good, _) in SETTINGS {
        let mut variables = base.to_vec();
        variables.retain(|(known, _)| *known != name);
        variables.push((name, good));
        let output = serve(&folder, &variables).await;
        shows_nothing(&output);
    }
}

#[tokio::test]
async fn no_source_and_no_command_shows_a_secret() {
    let (folder, database) = (folder_with_files(), TestDatabase::migrated().await);
    let (home, url) = (folder.display().to_string(), with_password(&database));
    let secrets = [
        ("DATABASE_URL", url.as_str()),
        ("TASKQL_JWT_SECRET", SECRET),
        ("TASKQL_JWT_PREVIOUS_SECRET", PREVIOUS),
        ("BETTER_AUTH_SECRET", BETTER_AUTH),
    ];
    let talkative = [("HOME", home.as_str()), ("TASKQL_LOG", "trace"), ("TASKQL_LISTEN", "127.0.0.1:0")];
    // The environment.
    let by_environment = [&talkative[..], &secrets].concat();
    shows_nothing(&serve(&folder, &by_environment).await);
    for arguments in [
        &["--help"][..],
        &["migrate"],
        &["migrate", "--status"],
        &["migrate", "--new-epoch"],
        &["token", "--sub", "ada"],
        &["schema"],
        &["health", "--listen", "127.0.0.1:1"],
        &["--jwt-secret", SECRET],
        &["--database-url=postgres://ada:hunter2@db/x"],
        &[SECRET],
        &["token", "--sub"],
    ] {
        let mut command = taskql(&folder, &by_environment);
        command.args(arguments);
        shows_nothing(&output_of(command).await.1);
    }
    // Files of secrets.
    for (name, value) in secrets {
        std::fs::write(folder.join(name), format!("{value}\n")).expect("written");
    }
    let by_file: Vec<_> = secrets.iter().map(|(name, _)| (format!("{name}_FILE"), *name)).collect();
    let by_file: Vec<_> = by_file.iter().map(|(variable, path)| (variable.as_str(), *path)).collect();
    shows_nothing(&serve(&folder, &[&talkative[..], &by_file].concat()).await);
    // `.env`, with a line that is of nobody's.
    let lines = secrets.map(|(name, value)| format!("{name}='{value}'\n")).concat();
    std::fs::write(folder.join(".env"), lines + "SMTP_PASSWORD=hunter2\nTASKQL_PASSWORD=hunter2\n").expect("written");
    let output = serve(&folder, &talkative).await;
    assert!(output.contains("variable=\"TASKQL_PASSWORD\""), "{output}");
    shows_nothing(&output);
    // Development mode prints a token and neither its secret nor anybody else's.
    std::fs::remove_file(folder.join(".env")).expect("removed");
    std::fs::write(folder.join(".taskql-dev-secret"), SECRET).expect("written");
    std::fs::set_permissions(folder.join(".taskql-dev-secret"), std::fs::Permissions::from_mode(0o600)).expect("set");
    let mut command = taskql(&folder, &[&talkative[..], &secrets[..1]].concat());
    command.args(["token", "--sub", "ada"]);
    shows_nothing(&output_of(command).await.1);
}

#[tokio::test]
async fn a_provider_that_is_reached_shows_no_secret() {
    let key = Key::new("key", jsonwebtoken::Algorithm::EdDSA);
    let provider = Provider::start(&[&key]).await;
    let url = provider.url.replace("http://", "http://ada:hunter2@") + "?key=hunter2";
    let variables = [
        ("DATABASE_URL", "sqlite::memory:"),
        ("TASKQL_JWT_SECRET", SECRET),
        ("TASKQL_JWKS_URL", &url),
        ("TASKQL_LISTEN", "127.0.0.1:0"),
        ("TASKQL_LOG", "trace"),
    ];
    let output = serve(&folder(), &variables).await;
    assert!(output.contains("fetched the identity provider's keys"), "{output}");
    shows_nothing(&output);
}

#[tokio::test]
async fn an_unusable_setting_ends_every_start_in_one_line_without_a_secret() {
    let folder = folder_with_files();
    let home = folder.display().to_string();
    let base = [
        ("HOME", home.as_str()),
        ("DATABASE_URL", "sqlite::memory:"),
        ("TASKQL_JWT_SECRET", SECRET),
        ("TASKQL_LISTEN", "127.0.0.1:0"),
        ("TASKQL_LOG", "trace"),
    ];
    let refused = async |name: &str, value: &str, command: Command| {
        let (code, output) = output_of(command).await;
        assert_eq!(code, Some(2), "{name}={value}: {output}");
        let last = output.lines().last().expect("a line");
        assert!(last.starts_with(&format!("taskql: {name}: ")), "{name}={value}: {output}");
        // Its own log may come before, where the setting shows to be unusable only when it is used.
        let others = output.lines().filter(|line| !line.starts_with("20")).count();
        assert_eq!(others, 1, "{name}={value}: {output}");
        shows_nothing(&output);
    };
    let with = |name: &str, value: &str| {
        // A key set needs no Better Auth, so that its secret would not be looked at.
        let is_kept = |known: &str| known != name && !(known == "TASKQL_JWT_SECRET" && name == "BETTER_AUTH_SECRET");
        let mut command = taskql(&folder, &[]);
        command.envs(base.iter().copied().filter(|(known, _)| is_kept(known))).env(name, value);
        command
    };
    for (name, _, unusable) in SETTINGS {
        refused(name, unusable, with(name, unusable)).await;
        // As a flag too.
        let mut by_flag = with("HOME", &home);
        by_flag.arg(format!("--{}={unusable}", name["TASKQL_".len()..].to_lowercase().replace('_', "-")));
        refused(name, unusable, by_flag).await;
    }
    for (name, unusable) in PRIVATE {
        for value in unusable {
            refused(name, value, with(name, value)).await;
            std::fs::write(folder.join("value"), value).expect("written");
            let mut by_file = with(name, "");
            by_file.env(format!("{name}_FILE"), "value");
            refused(name, value, by_file).await;
        }
        // Nothing that can be read, under a name that may be the secret itself.
        let variable = format!("{name}_FILE");
        let mut by_file = with(name, "");
        by_file.env(&variable, SECRET);
        refused(&variable, SECRET, by_file).await;
    }
    for (name, value) in [("HTTPS_PROXY", "socks5://ada:hunter2@127.0.0.1:1"), ("https_proxy", "http://ada:hunter2@:x")]
    {
        let mut command = with(name, value);
        command.env("TASKQL_JWKS_URL", "https://issuer.invalid/jwks");
        refused(name, value, command).await;
    }
    let mut unreadable = with("TASKQL_TRUSTED_DOCUMENTS", ".pgpass");
    unreadable.env("TASKQL_JWT_PREVIOUS_SECRET", PREVIOUS);
    refused("TASKQL_TRUSTED_DOCUMENTS", ".pgpass", unreadable).await;
}

#[tokio::test]
async fn every_setting_is_in_these_tests() {
    let mut command = taskql(&folder(), &[]);
    command.arg("--help");
    let help = output_of(command).await.1;
    let listed: BTreeSet<&str> =
        help.match_indices("[env: ").filter_map(|(at, tag)| help[at + tag.len()..].split(']').next()).collect();
    assert_eq!(listed, SETTINGS.iter().map(|(name, ..)| *name).collect());
    let private = help.lines().skip_while(|line| !line.starts_with("Variables without a flag")).map(str::trim);
    let private: BTreeSet<&str> =
        private.filter(|line| line.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')).collect();
    let private: BTreeSet<&str> = private.into_iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(private, PRIVATE.iter().map(|(name, _)| *name).collect());
}
