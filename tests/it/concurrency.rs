//! Many at once: nothing is lost, nothing is done twice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, DbBackend, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use serde_json::json;
use taskql::domain::task::{ActiveModel, Status, TaskId, count, create};
use taskql::domain::{Clock, Store, UserId, Viewer};

use crate::support::TestApp;

const TOGGLE: &str = "mutation($id: ID!, $version: Int) {
    toggleTask(id: $id, expectedVersion: $version) { task { completed version } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_and_one_toggles_of_sixteen_clients_end_completed() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    let mut versions = BTreeSet::new();
    let clients = (0..16).map(|client| {
        let (ada, id) = (ada.clone(), id.clone());
        tokio::spawn(async move {
            let mut versions = Vec::new();
            for _ in (client..101).step_by(16) {
                let answer = ada.send(TOGGLE, json!({"id": id})).await;
                assert_eq!(answer.code(), None, "{answer:?}");
                versions.push(answer["data"]["toggleTask"]["task"]["version"].as_i64().expect("a version"));
            }
            versions
        })
    });
    for client in join_all(clients).await {
        versions.extend(client.expect("a client ends"));
    }
    assert_eq!(versions, (2..=102).collect());
    let task = ada.send("query($id: ID!) { task(id: $id) { completed version } }", json!({"id": id})).await;
    assert_eq!(task["data"]["task"], json!({"completed": true, "version": 102}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_has_one_winner() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let id = ada.create_titled("x").await;
    for version in 1..=5 {
        let tries = (0..12).map(|_| {
            let (ada, id) = (ada.clone(), id.clone());
            tokio::spawn(async move { ada.send(TOGGLE, json!({"id": id, "version": version})).await })
        });
        let (mut won, mut lost) = (0, 0);
        for answer in join_all(tries).await {
            let answer = answer.expect("a client ends");
            match answer.code() {
                None => won += 1,
                Some("CONFLICT") => {
                    lost += 1;
                    assert_eq!(answer["errors"][0]["extensions"]["currentVersion"], version + 1);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((won, lost), (1, 11));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_create_sent_by_many_makes_one_task() {
    let app = TestApp::new().await;
    let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { title createdAt } } }";
    let tries = (0..16).map(|n| {
        let new = app.user("new");
        let input = json!({"id": "018f4f6e-2c1a-7d3b-9a5e-3f1b2c4d5e6f", "title": format!("of {n}")});
        tokio::spawn(async move { new.send(create, json!({ "input": input })).await })
    });
    let answers = join_all(tries).await;
    let tasks: BTreeSet<String> =
        answers.into_iter().map(|a| a.expect("ends")["data"]["createTask"]["task"].to_string()).collect();
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert_eq!(app.user("new").titles("").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_requests_at_a_hundred_at_once_all_succeed() {
    let app = TestApp::new().await;
    let lists = "{ tasks(first: 20) { totalCount nodes { id title } } viewer { id } }";
    let create = "mutation { createTask(input: {title: \"x\"}) { task { id } } }";
    let clients = (0..100).map(|client| {
        let user = app.user(&format!("user-{}", client % 7));
        tokio::spawn(async move {
            for nth in 0..3 {
                let is_create = (client * 3 + nth) % 5 == 0;
                let answer = user.run(if is_create { create } else { lists }).await;
                assert_eq!((answer.status.as_u16(), answer.code()), (200, None), "{answer:?}");
            }
        })
    });
    for client in join_all(clients).await {
        client.expect("every request succeeds");
    }
    let mut total = 0;
    for user in 0..7 {
        let answer = app.user(&format!("user-{user}")).run("{ tasks(first: 0) { totalCount } }").await;
        total += answer["data"]["tasks"]["totalCount"].as_i64().expect("a count");
    }
    assert_eq!(total, 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_has_begun_goes_on_without_its_caller() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    ada.create_titled("first").await;
    // Somebody holds what the write needs.
    let other = taskql::database::connect::connect(app.url(), 1).await.expect("it opens");
    let immediate = Some(SqliteTransactionMode::Immediate);
    let options = TransactionOptions { sqlite_transaction_mode: immediate, ..TransactionOptions::default() };
    let holder = other.begin_with_options(options).await.expect("it begins");
    holder.execute_unprepared("update users set name = name where id = 'ada'").await.expect("the row is held");
    let caller = tokio::spawn({
        let ada = ada.clone();
        async move { ada.run("mutation { createTask(input: {title: \"second\"}) { task { id } } }").await }
    });
    while app.store.pool().in_use == 0 {
        tokio::task::yield_now().await;
    }
    caller.abort();
    assert!(caller.await.is_err_and(|error| error.is_cancelled()));
    holder.commit().await.expect("it ends");
    app.store.finish().await;
    assert_eq!(ada.titles("").await, ["second", "first"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_neither_stops_a_write_nor_loses_another() {
    let app = TestApp::new().await;
    let (mut dropped, mut kept) = (Vec::new(), Vec::new());
    for round in 0_u64..300 {
        let create = format!("mutation {{ createTask(input: {{title: \"dropped {round}\"}}) {{ task {{ id }} }} }}");
        let goes = app.user("ada");
        dropped.push(tokio::spawn(async move { goes.run(&create).await }));
        // The caller goes away at any moment of the first two milliseconds.
        let moment = Instant::now() + Duration::from_micros(round * 37 % 2_000);
        while Instant::now() < moment {
            tokio::task::yield_now().await;
        }
        dropped[usize::try_from(round).expect("small")].abort();
        if round % 3 == 0 {
            kept.push(app.user("bob").create_titled(&format!("kept {round}")).await);
        }
    }
    let answered = join_all(dropped).await.into_iter().flatten().filter(|answer| answer.code().is_none()).count();
    app.store.finish().await;
    // What was acknowledged is there, on a connection that has seen none of it.
    let fresh = taskql::database::connect::connect(app.url(), 1).await.expect("it opens");
    let count = async |user: &str| {
        let viewer = Viewer { id: UserId::new(user).expect("an id"), email: None, name: None };
        count(&Store::new(fresh.clone(), Clock::system()), &viewer, Status::All).await.expect("a count")
    };
    assert_eq!(count("bob").await, kept.len() as u64);
    // A write that had begun goes on without its caller, and nothing of it stays open.
    assert!(count("ada").await >= answered as u64);
    assert!(app.store.pool().in_use == 0 && app.store.pool().waiting == 0);
    assert_eq!(app.user("ada").run("{ tasks { totalCount } }").await.code(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_that_keep_connections_idle_leave_some_to_writes() {
    let app = TestApp::new().await;
    for pool_size in [1, 2, 3] {
        let db = taskql::database::connect::connect(app.url(), pool_size).await.expect("it opens");
        let store = Store::new(db.clone(), Clock::system());
        let work = (0..120).map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let viewer = Viewer { id: UserId::new("ada").expect("an id"), email: None, name: None };
                if n % 3 == 0 {
                    // With an id of its own it is a transaction on both databases.
                    let new = ActiveModel { title: Set(n.to_string()), ..ActiveModel::default() };
                    create(&store, &viewer, Some(TaskId::random()), new).await.map(|_| ())
                } else {
                    count(&store, &viewer, Status::All).await.map(|_| ())
                }
            })
        });
        for outcome in join_all(work.collect::<Vec<_>>()).await {
            outcome.expect("it ends well").expect("a connection is free in time");
        }
        store.finish().await;
        db.close().await.expect("all connections are back");
    }
}

/// On SQLite nobody can end a connection; there it only says that each write is made once.
#[tokio::test]
async fn a_write_whose_connection_was_ended_before_it_is_made_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let fresh = taskql::database::connect::connect(app.url(), 1).await.expect("it opens");
    let end_all_others = "select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    for round in 0..10 {
        ada.create_titled(&format!("before {round}")).await;
        if fresh.get_database_backend() == DbBackend::Postgres {
            fresh.execute_unprepared(end_all_others).await.expect("they end");
        }
        ada.create_titled(&format!("after {round}")).await;
    }
    assert_eq!(ada.run("{ tasks { totalCount } }").await["data"]["tasks"]["totalCount"], 20);
}
