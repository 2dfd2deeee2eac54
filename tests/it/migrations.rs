//! The schema is made at start, by one of many, and newer databases are left alone.

use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use taskql::database::migrate::{migrate, status};

use crate::support::TestDatabase;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_that_start_at_once_make_one_schema() {
    let database = TestDatabase::empty().await;
    let url = database.url.clone();
    let starts = (0..8).map(|_| {
        let url = url.clone();
        tokio::spawn(async move {
            let db = taskql::database::connect::connect(&url, 2).await.map_err(|e| format!("{e:?}"))?;
            let before = migrate(&db).await.map_err(|e| format!("{e:?}"))?;
            db.close().await.map_err(|e| e.to_string())?;
            Ok::<_, String>(before.pending.len())
        })
    });
    let pending: Vec<usize> = join_all(starts).await.into_iter().map(|s| s.expect("ends").expect("migrates")).collect();
    assert_eq!(pending.iter().filter(|pending| **pending > 0).count(), 1, "{pending:?}");
    let db = database.connect().await;
    let after = status(&db).await.expect("a status");
    assert!(after.pending.is_empty() && after.unknown.is_empty() && !after.applied.is_empty());
}

#[tokio::test]
async fn a_newer_database_is_left_as_it_is() {
    let database = TestDatabase::migrated().await;
    let db = database.connect().await;
    let newer = "insert into seaql_migrations (version, applied_at) values ('m99990101_000001_of_the_future', 1)";
    db.execute_unprepared(newer).await.expect("a row");
    let before = migrate(&db).await.expect("no error");
    assert_eq!(before.unknown, ["m99990101_000001_of_the_future"]);
    assert_eq!(status(&db).await.expect("a status"), before);
}

#[tokio::test]
async fn the_status_changes_nothing() {
    let database = TestDatabase::empty().await;
    let db = database.connect().await;
    let before = status(&db).await.expect("a status");
    assert!(before.applied.is_empty() && !before.pending.is_empty());
    assert_eq!(status(&db).await.expect("a status"), before);
    assert!(db.execute_unprepared("select 1 from seaql_migrations").await.is_err());
}
