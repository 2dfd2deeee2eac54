//! A database for one test: a file, or a copy of a migrated PostgreSQL database.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use taskql::database::{connect::connect, migrate::migrate};
use tokio::sync::OnceCell;

static COUNT: AtomicU32 = AtomicU32::new(0);
static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NOTICE: Once = Once::new();

/// The URL of a database that nobody else uses.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    file: Option<PathBuf>,
}

impl TestDatabase {
    /// An empty database.
    pub(crate) async fn empty() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("taskql_test_{}_{number}", std::process::id());
        match server() {
            Some(server) => {
                execute(&server, &format!("create database {name}")).await;
                Self { url: in_database(&server, &name), file: None }
            }
            None => {
                let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.db"));
                Self { url: format!("sqlite:{}", file.display()), file: Some(file) }
            }
        }
    }

    /// A database whose schema is up to date.
    pub(crate) async fn migrated() -> Self {
        let Some(server) = server() else {
            let database = Self::empty().await;
            let db = database.connect().await;
            migrate(&db).await.expect("a new database can be migrated");
            db.close().await.expect("it closes");
            return database;
        };
        let template = TEMPLATE
            .get_or_init(|| async {
                let name = format!("taskql_template_{}", std::process::id());
                execute(&server, &format!("create database {name}")).await;
                let db = connect(&in_database(&server, &name), 1).await.expect("the template opens");
                migrate(&db).await.expect("a new database can be migrated");
                db.close().await.expect("it closes");
                name
            })
            .await;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("taskql_test_{}_{number}", std::process::id());
        execute(&server, &format!("create database {name} template {template}")).await;
        Self { url: in_database(&server, &name), file: None }
    }

    /// A pool as the server has it.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        connect(&self.url, 10).await.expect("the database opens")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            if let Some(file) = &self.file {
                let _may_not_exist = std::fs::remove_file(format!("{}{suffix}", file.display()));
            }
        }
    }
}

/// The PostgreSQL server to test on. Where there is none, says once what is left out, past the capture of test output.
pub(crate) fn server() -> Option<String> {
    let server = std::env::var("TASKQL_TEST_DATABASE").ok().filter(|url| !url.is_empty());
    if server.is_none() {
        NOTICE.call_once(|| {
            let notice = "note: this run is on SQLite only; PostgreSQL is left out. ./scripts/test runs both.\n";
            let _closed = std::io::stderr().write_all(notice.as_bytes());
        });
    }
    server
}

fn in_database(server: &str, name: &str) -> String {
    let (start, _) = server.rsplit_once('/').expect("a URL with a database");
    format!("{start}/{name}")
}

async fn execute(url: &str, statement: &str) {
    let db = Database::connect(url).await.expect("the PostgreSQL server answers");
    db.execute_unprepared(statement).await.expect("the statement runs");
    db.close().await.expect("it closes");
}
