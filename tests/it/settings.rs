//! The settings as users give them: flags, variables, `.env`, files; what is wrong with one, in a line, and nothing in any
//! message or log that was to stay secret.

use std::path::Path;

use crate::support::{folder, taskql};

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
