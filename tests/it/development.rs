//! Development mode: whom it answers, the secret that it makes, and the pages that it shows.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use serde_json::json;
use tokio::process::Command;

use crate::support::{Process, folder, request_raw, taskql};

const SECRET_FILE: &str = ".taskql-dev-secret";

#[tokio::test]
async fn only_this_machine_is_answered_and_no_page_of_somebody_else() {
    let folder = folder();
    let variables = [("TASKQL_CORS_ORIGINS", "https://*.example.com"), ("DATABASE_URL", "sqlite::memory:")];
    let process = Process::start(&folder, &variables).await;
    let token = process.printed.last().expect("a token");
    let port = process.address.rsplit(':').next().expect("a port");
    let own = format!("Host: 127.0.0.1:{port}");
    let admitted = [
        vec![],
        vec!["Sec-Fetch-Site: none"],
        vec!["Sec-Fetch-Site: same-origin"],
        vec!["Sec-Fetch-Site: same-site"],
        vec!["Origin: http://localhost:5173", "Sec-Fetch-Site: cross-site"],
        vec!["Origin: http://127.0.0.1:8000", "Referer: http://127.0.0.1:8000/graphql"],
        vec!["Referer: http://localhost:3000/x?y", "Sec-Fetch-Site: cross-site"],
        vec!["Origin: https://app.example.com", "Sec-Fetch-Site: cross-site"],
        vec!["Referer: https://app.example.com/page"],
        vec!["Origin: tauri://localhost"],
    ];
    let refused = [
        vec!["Via: 1.1 proxy"],
        vec!["X-Real-IP: 10.0.0.1"],
        vec!["X-Forwarded-For: 127.0.0.1"],
        vec!["X-Forwarded-Proto: https"],
        vec!["Forwarded: for=127.0.0.1"],
        vec!["Origin: https://evil.example"],
        vec!["Origin: null"],
        vec!["Origin: http://localhost.evil.example"],
        vec!["Origin: http://localhost@evil.example"],
        vec!["Origin: http://localhost:3000", "Origin: https://evil.example"],
        vec!["Origin: http://localhost:3000", "Referer: https://evil.example/"],
        vec!["Referer: https://evil.example/localhost"],
        vec!["Referer: localhost"],
        vec!["Referer: https://evil.example/", "Sec-Fetch-Site: same-origin"],
        vec!["Sec-Fetch-Site: cross-site"],
        vec!["Sec-Fetch-Site: anything"],
        vec!["Host: evil.example"],
    ];
    let get = async |version: &str, headers: &[&str]| {
        let headers = headers.join("\r\n");
        let end = if headers.is_empty() { "" } else { "\r\n" };
        let head =
            format!("GET /graphql {version}\r\n{own}\r\nConnection: close\r\nAccept: text/html\r\n{headers}{end}\r\n");
        request_raw(&process.address, head.as_bytes()).await.expect("an answer")
    };
    for headers in &admitted {
        let answer = get("HTTP/1.1", headers).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(token), "{headers:?}: {answer}");
        // nginx's proxy_pass, where nobody configures it.
        let answer = get("HTTP/1.0", headers).await;
        assert!(answer.contains(" 403 ") && !answer.contains(token), "{headers:?}: {answer}");
    }
    for headers in &refused {
        let answer = get("HTTP/1.1", headers).await;
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("\"FORBIDDEN\""), "{headers:?}: {answer}");
        assert!(!answer.contains(token), "{headers:?}: {answer}");
    }
}

/// What `taskql token` prints in a folder: a token, or nothing and why.
async fn token_of(folder: &Path) -> Result<String, String> {
    let output = taskql(folder, &[]).args(["token", "--sub", "ada"]).output().await.expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    match output.status.code() {
        Some(0) => Ok(text(output.stdout)),
        code => {
            let error = text(output.stderr);
            assert_eq!((code, error.lines().count()), (Some(2), 1), "{error}");
            assert!(error.starts_with(&format!("taskql: {SECRET_FILE}: ")) && output.stdout.is_empty(), "{error}");
            Err(error)
        }
    }
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("a file").permissions().mode() & 0o777
}

#[tokio::test]
async fn what_an_earlier_start_left_behind_does_no_harm() {
    let folder = folder();
    let (path, elsewhere) = (folder.join(SECRET_FILE), folder.join("elsewhere"));
    // A draft of a process that had the number of this one; exec keeps the number.
    let script = format!("echo left > {SECRET_FILE}.$$ && exec \"$0\" token --sub ada");
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_taskql")).current_dir(&folder).env_clear();
    let output = command.output().await.expect("it runs");
    assert!(output.status.success(), "{output:?}");
    std::fs::remove_file(&path).expect("it was made");
    symlink(&elsewhere, &path).expect("made");
    token_of(&folder).await.expect("a new secret is made");
    assert!(!elsewhere.exists() && path.symlink_metadata().expect("a file").is_file());
    assert_eq!(mode(&path), 0o600);
    let made = std::fs::read_to_string(&path).expect("a secret");
    let drafts = std::fs::read_dir(&folder).expect("a folder").count();
    // It stays, and only its owner may read it from now on.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
    token_of(&folder).await.expect("the secret is used");
    assert_eq!((std::fs::read_to_string(&path).expect("a secret"), mode(&path)), (made, 0o600));
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), drafts, "no draft is left");
    // A link of the user's own to a secret of theirs is good.
    std::fs::rename(&path, &elsewhere).expect("moved");
    symlink(&elsewhere, &path).expect("made");
    token_of(&folder).await.expect("the secret is used");
}

#[tokio::test]
async fn a_secret_that_others_may_know_is_refused() {
    let long = "x".repeat(50);
    let refused = async |make: &dyn Fn(&Path), expected: &str| {
        let folder = folder();
        make(&folder.join(SECRET_FILE));
        let error = token_of(&folder).await.expect_err(expected);
        assert!(error.contains(expected) && !error.contains("xxx"), "{error}");
    };
    let of_another_owner = |path: &Path| {
        std::fs::write(path, &long).expect("written");
        // Only root may give files away; the others find one of root's.
        if chown(path, Some(65_534), None).is_err() {
            std::fs::remove_file(path).expect("removed");
            symlink("/etc/passwd", path).expect("made");
        }
    };
    refused(&of_another_owner, "belongs to another user").await;
    let link_to_it = |path: &Path| {
        let other = path.with_extension("other");
        of_another_owner(&other);
        symlink(&other, path).expect("made");
    };
    refused(&link_to_it, "belongs to another user").await;
    let writable = |path: &Path| {
        std::fs::write(path, &long).expect("written");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o622)).expect("set");
    };
    refused(&writable, "can be written by others").await;
    refused(&|path| std::fs::create_dir(path).expect("made"), "is not a file").await;
    refused(&|path| std::fs::write(path, "xxx").expect("written"), "has fewer than 32 bytes").await;
    refused(&|path| std::fs::write(path, b"\xff\xfe").expect("written"), "cannot be read").await;
}

#[tokio::test]
async fn a_folder_where_nothing_can_be_written_is_told_what_to_do() {
    // Nobody writes there, not even root.
    let error = token_of(Path::new("/proc")).await.expect_err("refused");
    assert!(error.contains("cannot be made") && error.contains("or set TASKQL_JWT_SECRET"), "{error}");
    let served = taskql(Path::new("/proc"), &[("DATABASE_URL", "sqlite::memory:"), ("TASKQL_LISTEN", "127.0.0.1:0")]);
    let output = { served }.output().await.expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.starts_with(b"taskql: .taskql-dev-secret: cannot be made"), "{output:?}");
}

#[tokio::test]
async fn a_token_of_a_new_secret_says_that_no_server_knows_it() {
    let folder = folder();
    for (nth, expected) in [(0, true), (1, false)] {
        let output = taskql(&folder, &[]).args(["token", "--sub", "ada"]).output().await.expect("it runs");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(
            (out.lines().count(), err.contains("only servers started here accept this token")),
            (1, expected),
            "{nth}: {err}"
        );
    }
}

#[tokio::test]
async fn with_trusted_documents_the_pages_are_off_and_said_to_be() {
    let folder = folder();
    std::fs::write(folder.join("documents.json"), r#"{"viewer": "{ viewer { id } }"}"#).expect("written");
    let variables = [("TASKQL_TRUSTED_DOCUMENTS", "documents.json"), ("DATABASE_URL", "sqlite::memory:")];
    let process = Process::start(&folder, &variables).await;
    let printed = process.printed.join("\n");
    assert!(printed.contains("GraphiQL and the task application are off"), "{printed}");
    assert!(!printed.contains("GraphiQL:") && !printed.contains("/app"), "{printed}");
    for path in ["/graphql", "/", "/app", "/graphiql/page.js"] {
        let (status, _) = process.request("GET", path, "accept: text/html\r\n", b"").await.expect("an answer");
        assert!(status == 404 || status == 406, "{path} {status}");
    }
    let headers = format!(
        "authorization: Bearer {}\r\ncontent-type: application/json\r\n",
        process.printed.last().expect("a token")
    );
    let body = json!({"documentId": "viewer"}).to_string();
    let (status, answer) = process.request("POST", "/graphql", &headers, body.as_bytes()).await.expect("an answer");
    assert_eq!((status, &answer["data"]["viewer"]["id"]), (200, &json!("dev")));
    let both = taskql(&folder, &variables).args(["--graphiql", "true"]).output().await.expect("it runs");
    assert_eq!(both.status.code(), Some(2));
    assert!(both.stderr.starts_with(b"taskql: TASKQL_GRAPHIQL: true, and TASKQL_TRUSTED_DOCUMENTS"), "{both:?}");
}
