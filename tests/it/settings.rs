//! The settings as users give them: flags, variables, `.env`, files; what is wrong with one, in a line, and nothing in any
//! message or log that was to stay secret.

use std::path::Path;

use serde_json::json;
use taskql::auth::{Authenticator, Trust};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::support::{Process, Socket, folder, request_raw, taskql};

/// How a run of the binary ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

async fn run(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let output = taskql(folder, variables).args(arguments).output().await.expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Ended {
    /// Refused in one line that begins with `start`.
    fn is_refused(&self, start: &str) {
        assert_eq!(self.code, Some(2), "{}", self.err);
        assert!(self.err.starts_with(&format!("taskql: {start}")) && self.err.lines().count() == 1, "{}", self.err);
        assert!(self.out.is_empty(), "{}", self.out);
    }
}

#[tokio::test]
async fn a_flag_goes_before_the_environment_and_that_before_the_file_each_unless_it_is_empty() {
    let folder = folder();
    std::fs::write(folder.join(".env"), "TASKQL_LISTEN=bad-file\n").expect("written");
    let refused = async |variable: &str, arguments: &[&str], expected: &str| {
        let ended = run(&folder, &[("TASKQL_LISTEN", variable)], arguments).await;
        ended.is_refused(&format!("TASKQL_LISTEN: '{expected}'"));
    };
    refused("", &[], "bad-file").await;
    refused("bad-variable", &[], "bad-variable").await;
    refused("bad-variable", &["--listen", "bad-flag"], "bad-flag").await;
    refused("bad-variable", &["serve", "--listen=bad-flag"], "bad-flag").await;
    refused("bad-variable", &["--listen", "", "serve"], "bad-variable").await;
    refused("", &["serve", "--listen="], "bad-file").await;
    // What is overruled need not be good.
    let ended = run(&folder, &[("TASKQL_LISTEN", "bad-variable")], &["schema", "--listen", "[::1]:0"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_value_that_is_no_text_is_named() {
    let folder = folder();
    let bytes = || std::os::unix::ffi::OsStringExt::from_vec(b"\xff\xfe".to_vec());
    let bytes: fn() -> std::ffi::OsString = bytes;
    for name in ["TASKQL_LISTEN", "TASKQL_JWT_SECRET", "DATABASE_URL"] {
        let output = taskql(&folder, &[]).env(name, bytes()).output().await.expect("it runs");
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!((output.status.code(), text), (Some(2), format!("taskql: {name}: is not UTF-8 text\n")));
    }
    let output = taskql(&folder, &[]).arg("--listen").arg(bytes()).output().await.expect("it runs");
    assert_eq!(output.stderr, b"taskql: TASKQL_LISTEN: is not UTF-8 text\n");
}

#[tokio::test]
async fn what_is_wrong_with_the_command_line_is_one_line_too() {
    let folder = folder();
    for (arguments, start) in [
        (&["--listen"][..], "--listen: needs a value"),
        (&["--listn", "x"], "--listn: there is no such option; there is --listen"),
        (&["serv"], "command line: an argument is neither a command nor an option"),
        (&["token"], "--sub: missing"),
        (&["token", "--sub", "ada", "--ttl", "soon"], "--ttl: 'soon' is not a time such as 90s"),
        (&["migrate", "--status", "--new-epoch"], "--status: cannot be used together with --new-epoch"),
    ] {
        run(&folder, &[], arguments).await.is_refused(start);
    }
}

#[tokio::test]
async fn help_shows_each_setting_with_its_variable_and_no_value() {
    let folder = folder();
    std::fs::write(folder.join(".env"), "TASKQL_JWKS_URL=https://hidden-file\n").expect("written");
    let variables = [
        ("DATABASE_URL", "postgres://hidden-url"),
        ("TASKQL_JWT_SECRET", "hidden-secret"),
        ("TASKQL_LISTEN", "hidden-address"),
    ];
    for arguments in [&["--help"][..], &["-h"], &["help"], &["serve", "--help"], &["token", "--help"]] {
        let ended = run(&folder, &variables, arguments).await;
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(ended.out.contains("[env: TASKQL_LISTEN] [default: 127.0.0.1:8000]"), "{}", ended.out);
        assert!(!ended.out.contains("hidden"), "{}", ended.out);
    }
}

#[tokio::test]
async fn a_dollar_in_the_file_is_a_dollar() {
    let folder = folder();
    std::fs::write(folder.join(".env"), "TASKQL_LISTEN=a$HOME\nTASKQL_LOG_FORMAT=\"b$HOME\"\n").expect("written");
    run(&folder, &[("HOME", "elsewhere")], &[]).await.is_refused("TASKQL_LISTEN: 'a$HOME' is not an address");
    let listen = ["--listen", "[::1]:0"];
    run(&folder, &[("HOME", "elsewhere")], &listen).await.is_refused("TASKQL_LOG_FORMAT: 'b$HOME' is neither");
}

#[tokio::test]
async fn a_file_that_cannot_be_understood_is_told_by_its_line_and_never_by_its_text() {
    for (file, start) in [
        (&b"TASKQL_DEV=true\nTASKQL_JWT_SECRET=hunter2 unquoted\n"[..], ".env: line 2 has a value with spaces"),
        (b"TASKQL_JWT_SECRET: hunter2\n", ".env: line 1 is not of the form NAME=VALUE"),
        (b"TASKQL_JWT_SECRET='hunter2\n", ".env: line 1 opens a quote"),
        (b"TASKQL_JWT_SECRET=hunter2\xff\n", ".env: is not UTF-8 text"),
        (b"TASKQL_LISTEN=\"[::1]:0\nTASKQL_JWT_SECRET=hunter2\n\"\n", "TASKQL_LISTEN: has a line break"),
        (b"TASKQL_JWT_SECRET=\"hunter2\nTASKQL_LISTEN=\"[::1]:0\"\n", ".env: line 1 has something behind"),
    ] {
        let folder = folder();
        std::fs::write(folder.join(".env"), file).expect("written");
        let ended = run(&folder, &[("TASKQL_LOG", "trace")], &[]).await;
        ended.is_refused(start);
        assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    }
    let folder = folder();
    std::fs::create_dir(folder.join(".env")).expect("made");
    run(&folder, &[], &[]).await.is_refused(".env: cannot be read (");
}

const SECRET: &str = "hunter2 hunter2 hunter2 hunter2 hunter2";
const OTHER: &str = "another secret of 32 bytes and more";

/// A token for `ada` as `taskql token` prints it with these variables.
async fn token_with(folder: &Path, variables: &[(&str, &str)]) -> String {
    let ended = run(folder, variables, &["token", "--sub", "ada"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    ended.out.trim().to_owned()
}

#[tokio::test]
async fn a_secret_can_be_given_in_a_file() {
    let folder = folder();
    for (content, name) in
        [(format!("{SECRET}\n"), "unix"), (format!("{SECRET}\r\n"), "windows"), (SECRET.into(), "bare")]
    {
        std::fs::write(folder.join(name), content).expect("written");
        for variable in ["TASKQL_JWT_SECRET_FILE", "BETTER_AUTH_SECRET_FILE"] {
            let signed = token_with(&folder, &[(variable, name)]).await;
            let known = token_with(&folder, &[("TASKQL_JWT_SECRET", SECRET)]).await;
            assert!(is_signed_alike(&signed, &known).await, "{variable} {name}");
        }
    }
    // The second line break is a part of the secret.
    std::fs::write(folder.join("two"), format!("{SECRET}\n\n")).expect("written");
    let signed = token_with(&folder, &[("TASKQL_JWT_SECRET_FILE", "two")]).await;
    assert!(!is_signed_alike(&signed, &token_with(&folder, &[("TASKQL_JWT_SECRET", SECRET)]).await).await);
    let database = folder.join("from-file.db");
    std::fs::write(folder.join("url"), format!("sqlite:{}\n", database.display())).expect("written");
    assert_eq!(run(&folder, &[("DATABASE_URL_FILE", "url")], &["migrate"]).await.code, Some(0));
    assert!(database.exists());
}

/// Whether `SECRET` has signed both.
async fn is_signed_alike(one: &str, other: &str) -> bool {
    let trust = Trust { secrets: vec![SECRET.into()], ..Trust::default() };
    let authenticator = Authenticator::new(trust);
    authenticator.verify(other).await.expect("SECRET has signed it");
    authenticator.verify(one).await.is_ok()
}

#[tokio::test]
async fn a_file_that_holds_no_secret_stops_the_start_without_its_name() {
    let (folder, long) = (folder(), vec![b'x'; 100_000]);
    for (name, content) in [
        ("empty", &b""[..]),
        ("line", b"\n"),
        ("binary", b"\xff\xfe"),
        ("long", long.as_slice()),
        ("short", b"hunter2"),
    ] {
        std::fs::write(folder.join(name), content).expect("written");
    }
    std::fs::create_dir(folder.join("folder")).expect("made");
    std::fs::write(folder.join("good"), OTHER).expect("written");
    for variable in ["TASKQL_JWT_SECRET", "BETTER_AUTH_SECRET", "TASKQL_JWT_PREVIOUS_SECRET", "DATABASE_URL"] {
        let by_file = format!("{variable}_FILE");
        for (path, what) in [
            (SECRET, "the file cannot be read (No such file"),
            ("folder", "the file cannot be read (Is a directory"),
            ("empty", "the file is empty"),
            ("line", "the file is empty"),
            ("binary", "is not UTF-8 text"),
            ("long", "the file has more than 65536 bytes"),
        ] {
            let ended = run(&folder, &[(&by_file, path)], &[]).await;
            ended.is_refused(&format!("{by_file}: {what}"));
            assert!(!ended.err.contains("hunter2"), "{}", ended.err);
        }
        let both = run(&folder, &[(&by_file, "good"), (variable, SECRET)], &[]).await;
        both.is_refused(&format!("{by_file}: set together with {variable}"));
        std::fs::write(folder.join(".env"), format!("{variable}='{SECRET}'\n")).expect("written");
        run(&folder, &[(&by_file, "good")], &[]).await.is_refused(&format!("{by_file}: set together with {variable}"));
        std::fs::remove_file(folder.join(".env")).expect("removed");
    }
    let ended = run(&folder, &[("TASKQL_JWT_SECRET_FILE", "short")], &[]).await;
    ended.is_refused("TASKQL_JWT_SECRET: has 7 bytes, an HS256 secret needs 32 or more");
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
}

#[tokio::test]
async fn a_previous_secret_keeps_everybody_signed_in() {
    let folder = folder();
    let before = token_with(&folder, &[("TASKQL_JWT_SECRET", OTHER)]).await;
    let variables = [("TASKQL_JWT_SECRET", SECRET), ("TASKQL_JWT_PREVIOUS_SECRET", OTHER)];
    // What is signed now is signed with the new one.
    let now = token_with(&folder, &variables).await;
    let process = Process::start(&folder, &variables).await;
    for token in [&before, &now] {
        let (status, body) = process.run(token, "{ viewer { id } }", json!({})).await.expect("an answer");
        assert_eq!((status, &body["data"]["viewer"]["id"]), (200, &json!("ada")));
    }
    let after = Process::start(&folder, &variables[..1]).await;
    assert_eq!(after.run(&now, "{ viewer { id } }", json!({})).await.expect("an answer").0, 200);
    assert_eq!(after.run(&before, "{ viewer { id } }", json!({})).await.expect("an answer").0, 401);
    run(&folder, &variables[1..], &[]).await.is_refused("TASKQL_JWT_PREVIOUS_SECRET: set, but nothing signs");
}

#[tokio::test]
async fn tokens_are_made_and_taken_with_the_configured_claims() {
    let folder = folder();
    let variables = [
        ("TASKQL_JWT_SECRET", SECRET),
        ("TASKQL_JWT_ISSUER", "https://one.example, https://two.example"),
        ("TASKQL_JWT_AUDIENCE", "tasks,notes"),
        ("TASKQL_JWT_USER_CLAIM", "uid"),
    ];
    let process = Process::start(&folder, &variables).await;
    let others = [("TASKQL_JWT_ISSUER", "https://two.example"), ("TASKQL_JWT_AUDIENCE", "notes")];
    let others = [&variables[..1], &others[..], &variables[3..]].concat();
    for variables in [&variables[..], &others] {
        let token = token_with(&folder, variables).await;
        let (status, body) = process.run(&token, "{ viewer { id } }", json!({})).await.expect("an answer");
        assert_eq!((status, &body["data"]["viewer"]["id"]), (200, &json!("ada")));
    }
    for left_out in 1..variables.len() {
        let mut fewer = variables.to_vec();
        fewer.remove(left_out);
        let token = token_with(&folder, &fewer).await;
        assert_eq!(process.run(&token, "{ viewer { id } }", json!({})).await.expect("an answer").0, 401, "{left_out}");
    }
}

#[tokio::test]
async fn origins_and_their_patterns_are_for_requests_and_for_sockets() {
    let folder = folder();
    let listed = "https://x.example:443, https://*.example.com, http://localhost:*,tauri://localhost";
    let variables = [("TASKQL_JWT_SECRET", SECRET), ("TASKQL_CORS_ORIGINS", listed)];
    let process = Process::start(&folder, &variables).await;
    for (origin, is_allowed) in [
        ("https://x.example", true),
        ("https://a.b.example.com", true),
        ("http://localhost:5173", true),
        ("tauri://localhost", true),
        ("https://example.com", false),
        ("https://a.example.com.evil.com", false),
        ("https://localhost:5173", false),
        ("null", false),
    ] {
        let head = format!(
            "OPTIONS /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\norigin: {origin}\r\naccess-control-request-method: POST\r\n\r\n"
        );
        let answer = request_raw(&process.address, head.as_bytes()).await.expect("an answer").to_lowercase();
        let allowed = answer.contains(&format!("access-control-allow-origin: {origin}\r\n"));
        assert_eq!(allowed, is_allowed, "{origin}: {answer}");
        let opened = Socket::open(&process.address, &[("origin", origin)]).await.map(|_| ());
        assert_eq!(opened, if is_allowed { Ok(()) } else { Err(403) }, "{origin}");
    }
}

#[tokio::test]
async fn health_is_asked_at_the_configured_address() {
    let folder = folder();
    let alive = Process::start(&folder, &[("DATABASE_URL", "sqlite::memory:")]).await;
    let port = alive.address.rsplit(':').next().expect("a port");
    for address in [alive.address.clone(), format!("localhost:{port}"), format!("0.0.0.0:{port}")] {
        let ended =
            run(&folder, &[("TASKQL_LISTEN", &address), ("HTTPS_PROXY", "http://127.0.0.1:1")], &["health"]).await;
        assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(0), "healthy\n", ""), "{address}");
    }
    assert_eq!(run(&folder, &[], &["health", "--listen", &alive.address]).await.code, Some(0));
    let address = alive.address.clone();
    alive.signal("STOP").await;
    let silent = run(&folder, &[], &["health", "--listen", &address]).await;
    let expected = format!("taskql: http://{address}/health does not answer within 5 seconds\n");
    assert_eq!((silent.code, silent.err), (Some(1), expected));
    alive.signal("KILL").await;
    drop(alive);
    let dead = run(&folder, &[], &["health", "--listen", &address]).await;
    assert_eq!((dead.code, dead.err.lines().count(), dead.out.as_str()), (Some(1), 1, ""), "{}", dead.err);
    assert!(dead.err.contains("/health cannot be asked: "), "{}", dead.err);
    run(&folder, &[], &["health", "--listen", "[::]:0"]).await.is_refused("TASKQL_LISTEN: [::1]:0 does not say");
    // Somebody else's server at this address.
    let other = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = other.local_addr().expect("an address").to_string();
    let answer = tokio::spawn(async move {
        let (mut client, _) = other.accept().await.expect("a client");
        client.write_all(b"HTTP/1.1 404 Not Found\r\n\r\n").await.expect("written");
        client
    });
    let ended = run(&folder, &[], &["health", "--listen", &address]).await;
    assert_eq!((ended.code, ended.err), (Some(1), format!("taskql: http://{address}/health answers 'HTTP/1.1 404'\n")));
    drop(answer.await.expect("it ends"));
}
