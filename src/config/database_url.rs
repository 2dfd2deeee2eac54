//! The database's URL: refused where it can never work, or where a part of it may be a password that was not encoded.
//! No error repeats a text of the URL, unless it is a word of ours.

use std::str::FromStr;

use reqwest::Url;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;

type Checked = Result<(), String>;

/// What sqlx understands; it would log others with their values.
const OF_POSTGRES: [&str; 17] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];
/// What other programs understand and hosted databases put into their URLs, and sqlx's own that we overrule.
const OF_OTHERS: [&str; 17] = [
    "channel_binding",
    "connect_timeout",
    "connection_limit",
    "gssencmode",
    "keepalives",
    "passfile",
    "pgbouncer",
    "pool_timeout",
    "schema",
    "search_path",
    "service",
    "sslcompression",
    "sslnegotiation",
    "sslsni",
    "statement-cache-capacity",
    "target_session_attrs",
    "uselibpqcompat",
];

/// Checks a URL.
///
/// # Errors
/// What is wrong with it and what would be right.
pub(super) fn check(text: &str) -> Checked {
    if text.contains(char::is_control) {
        return Err("has a line break or another control character in it; it should be one line of text".into());
    }
    match text.split_once(':') {
        Some(("sqlite", _)) => sqlite(text),
        Some(("postgres" | "postgresql", _)) => postgres(text),
        _ => Err("neither sqlite:PATH nor postgres://USER:PASSWORD@HOST/DATABASE".into()),
    }
}

fn sqlite(text: &str) -> Checked {
    // As sqlx takes it apart.
    let rest = text.trim_start_matches("sqlite://").trim_start_matches("sqlite:");
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let mut has_file = true;
    for (number, (name, value)) in (1..).zip(url::form_urlencoded::parse(parameters.as_bytes())) {
        match (&*name, &*value) {
            ("mode", "ro") | ("immutable", "true" | "1") => {
                return Err("opens the file for reading only, and taskql has to write; take that out".into());
            }
            ("mode", "memory") => has_file = false,
            ("mode", "rw" | "rwc") | ("cache", "private" | "shared") | ("immutable", "false" | "0") | ("vfs", _) => {}
            ("mode" | "cache" | "immutable", _) => return Err(format!("has a wrong value for '{name}'")),
            _ => return Err(format!("its parameter {number} is unknown; there are mode, cache, immutable and vfs")),
        }
    }
    if has_file && path.trim().is_empty() {
        return Err("names no file; write sqlite:PATH, or sqlite::memory: for one that goes with the process".into());
    }
    let parsed = SqliteConnectOptions::from_str(text).map(|_| ());
    parsed.map_err(|_| "cannot be understood; write sqlite:PATH".into())
}

fn postgres(text: &str) -> Checked {
    const FORM: &str = "write postgres://USER:PASSWORD@HOST/DATABASE, where / ? # and @ in a password are %2F %3F %23 \
                        and %40";
    let url: Url = text.parse().map_err(|_| format!("cannot be understood; {FORM}"))?;
    // A '/', '?' or '#' in a password ends the host, and what follows stands in a place where it may be shown.
    if url.fragment().is_some() || url.path().contains('@') || url.query().is_some_and(|query| query.contains('@')) {
        return Err(format!("has a '#', or an '@' behind the host; {FORM}"));
    }
    for (number, (name, value)) in (1..).zip(url.query_pairs()) {
        if OF_OTHERS.contains(&&*name) {
            return Err(format!("its parameter '{name}' is not one of taskql's; take it out"));
        }
        if !OF_POSTGRES.contains(&&*name) && !name.starts_with("options[") {
            let known = OF_POSTGRES.join(", ");
            return Err(format!(
                "its parameter {number} is unknown; there are {known}; in a password ? and & are %3F and %26"
            ));
        }
        let mut alone = url.clone();
        alone.query_pairs_mut().clear().append_pair(&name, &value);
        if PgConnectOptions::from_str(alone.as_str()).is_err() {
            return Err(format!("has a wrong value for '{}'", name.split('[').next().unwrap_or_default()));
        }
    }
    PgConnectOptions::from_str(text).map(|_| ()).map_err(|_| format!("cannot be understood; {FORM}"))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_can_work_is_taken() {
        for good in [
            "sqlite:taskql.db",
            "sqlite://data/taskql.db",
            "sqlite:///var/lib/taskql.db?mode=rwc",
            "sqlite:a%20b.db?cache=private&immutable=false&vfs=unix",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:?mode=memory",
            "postgres://localhost/tasks",
            "postgresql://ada:p%40ss%2F%3F%23@db.example.com:6432/tasks?sslmode=verify-full&sslrootcert=/ca.pem",
            "postgres://ada:a:b@c@[::1]/tasks?application_name=x&options[statement_timeout]=1s&options=-c%20x=1",
            "postgres:///tasks?host=/run/postgresql&user=ada&password=p%40ss&port=5433",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_can_never_work_is_refused_without_its_text() {
        for (bad, expected) in [
            ("", "neither"),
            ("taskql.db", "neither"),
            ("mysql://ada:hunter2@localhost/x", "neither"),
            ("postgres", "neither"),
            ("hunter2@host/db", "neither"),
            ("sqlite:", "names no file"),
            ("sqlite://", "names no file"),
            ("sqlite: ", "names no file"),
            ("sqlite:?mode=rwc", "names no file"),
            ("sqlite://?cache=shared", "names no file"),
            ("sqlite:x.db?mode=ro", "opens the file for reading only"),
            ("sqlite:x.db?mode=rw&mode=ro", "opens the file for reading only"),
            ("sqlite:x.db?immutable=1", "opens the file for reading only"),
            ("sqlite:x.db?mode=hunter2", "has a wrong value for 'mode'"),
            ("sqlite:x.db?mode=rw&hunter2=1", "its parameter 2 is unknown"),
            ("sqlite:%ff.db", "cannot be understood"),
            ("sqlite:x\n.db", "has a line break"),
            ("postgres://ada:7?hunter2@host/db", "has a '#', or an '@' behind the host"),
            ("postgres://ada:7/hunter2@host/db", "has a '#', or an '@' behind the host"),
            ("postgres://ada:7#hunter2@host/db", "has a '#', or an '@' behind the host"),
            ("postgres://ada:7?sslmode=hunter2@host/db", "has a '#', or an '@' behind the host"),
            ("postgres://ada:hunter?2@host/db", "cannot be understood"),
            ("postgres://ada:hunter#2@host/db", "cannot be understood"),
            ("postgres://host:hunter2/db", "cannot be understood"),
            ("postgres://host/db?hunter2", "its parameter 1 is unknown"),
            ("postgres://host/db?sslmode=require&hunter2=x", "its parameter 2 is unknown"),
            ("postgres://host/db?sslmode=require&channel_binding=require", "its parameter 'channel_binding' is not"),
            ("postgres://host/db?sslmode=hunter2", "has a wrong value for 'sslmode'"),
            ("postgres://host/db?port=hunter2", "has a wrong value for 'port'"),
            ("postgres://host/db?hostaddr=hunter2", "has a wrong value for 'hostaddr'"),
            ("postgres://host/d\tb", "has a line break"),
        ] {
            let error = check(bad).expect_err(bad);
            assert!(error.starts_with(expected) && !error.contains("hunter"), "{bad}: {error}");
        }
    }
}
