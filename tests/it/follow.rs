//! Following changes in one process: nothing missed, nothing of others, one statement for each wake-up, whatever readers do.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;
use taskql::auth::{TokenClaims, sign};
use taskql::database::migrate;
use taskql::domain::feed::{self, Object};
use taskql::domain::{UserId, Viewer};
use tokio::time::timeout;

use crate::support::{Served, Socket, TestApp, alone, token};

const CHANGED: &str = "subscription($since: String) { taskChanged(since: $since) {
    kind taskId syncToken task { title description owner { id name } } } }";
const SOON: Duration = Duration::from_secs(10);

fn viewer(id: &str) -> Viewer {
    Viewer { id: UserId::new(id).expect("an id"), email: None, name: None }
}

/// Follows Ada from now on.
async fn follow(app: &TestApp) -> feed::Follower {
    feed::follow(&app.store, &viewer("ada"), None).await.expect("it follows")
}

#[tokio::test]
async fn a_wake_up_costs_one_statement_however_many_follow() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let mut followers = Vec::new();
    for _ in 0..15 {
        followers.push(follow(&app).await);
    }
    let next_of_all = async |followers: &mut Vec<feed::Follower>| {
        let nexts = followers.iter_mut().map(|follower| timeout(SOON, follower.next()));
        let changes = futures_util::future::join_all(nexts).await;
        changes
            .into_iter()
            .map(|change| change.expect("in time").expect("a change").changed.id.to_string())
            .collect::<BTreeSet<_>>()
    };
    // The first ones join; the reader that they share looks once for what came before.
    let (told, first) = tokio::join!(next_of_all(&mut followers), ada.create_titled("first"));
    assert_eq!(told, BTreeSet::from([first]));
    let before = feed::status(&app.store);
    assert_eq!((before.users, before.followers), (1, 15));
    for n in 0..20 {
        let title = format!("task {n}");
        let (told, id) = tokio::join!(next_of_all(&mut followers), ada.create_titled(&title));
        assert_eq!(told, BTreeSet::from([id]));
    }
    assert_eq!(feed::status(&app.store).reads - before.reads, 20);
    app.user("bob").create_titled("Bob's").await;
    assert_eq!(feed::status(&app.store).reads - before.reads, 20, "nobody follows Bob");
    drop(followers);
    assert_eq!((feed::status(&app.store).users, feed::status(&app.store).followers), (0, 0));
}

#[tokio::test]
async fn those_who_begin_beside_a_write_hear_of_it_once_and_of_the_next() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    for n in 0..40 {
        let since = feed::sync_token(&app.store, &viewer("ada")).await.expect("a token");
        let begin = async || {
            let mut follower = feed::follow(&app.store, &viewer("ada"), Some(since.clone())).await.expect("it follows");
            let mut told = Vec::new();
            while told.len() < 2 {
                let change = timeout(SOON, follower.next()).await.expect("in time").expect("a change");
                told.push(change.changed.id.to_string());
            }
            told
        };
        let write = async {
            let (first, second) = (format!("first {n}"), format!("second {n}"));
            vec![ada.create_titled(&first).await, ada.create_titled(&second).await]
        };
        let (a, b, c, written) = tokio::join!(begin(), begin(), begin(), write);
        assert_eq!([a, b, c], [written.clone(), written.clone(), written]);
    }
}

#[tokio::test]
async fn many_changes_at_once_all_arrive_in_order() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let mut quick = follow(&app).await;
    let mut slow = follow(&app).await;
    let writes = async {
        let clients = (0..8).map(|n| {
            let ada = ada.clone();
            async move {
                for m in 0..40 {
                    ada.create_titled(&format!("{n} {m}")).await;
                }
            }
        });
        futures_util::future::join_all(clients).await;
    };
    let mut seen = BTreeSet::new();
    let read = async {
        while seen.len() < 320 {
            let change = timeout(SOON, quick.next()).await.expect("in time").expect("a change");
            assert!(seen.insert(change.changed.id), "each once");
        }
    };
    tokio::join!(writes, read);
    // One that began to read only now, long after what is kept for it.
    let mut late = BTreeSet::new();
    while late.len() < 320 {
        let change = timeout(SOON, slow.next()).await.expect("in time").expect("a change");
        assert!(late.insert(change.changed.id), "each once");
    }
    assert_eq!(seen, late);
}

#[tokio::test]
async fn a_restored_database_and_a_new_epoch_expire_who_follows() {
    use sea_orm::ConnectionTrait;
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let mut follower = follow(&app).await;
    let (change, _) = tokio::join!(follower.next(), ada.create_titled("x"));
    let token = change.expect("a change").sync_token;
    migrate::new_epoch(&app.db).await.expect("a new epoch");
    let (next, _) = tokio::join!(timeout(SOON, follower.next()), ada.create_titled("y"));
    assert!(matches!(next.expect("in time"), Err(taskql::domain::Error::SyncTokenExpired)));
    let old = feed::follow(&app.store, &viewer("ada"), Some(token)).await;
    assert!(matches!(old, Err(taskql::domain::Error::SyncTokenExpired)));
    // Set back to an earlier state under a follower, which the poll finds.
    let mut follower = follow(&app).await;
    let store = app.store.clone();
    let polling = tokio::spawn(async move { feed::keep_woken(&store).await });
    let (change, _) = tokio::join!(follower.next(), ada.create_titled("z"));
    change.expect("a change");
    app.db.execute_unprepared("update users set revision = 1").await.expect("set back");
    let next = timeout(SOON, follower.next()).await.expect("in time");
    assert!(matches!(next, Err(taskql::domain::Error::SyncTokenExpired)));
    polling.abort();
}

#[tokio::test]
async fn an_idle_follower_of_an_epoch_that_is_over_holds_up_nobody() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let mut old = follow(&app).await;
    let mut idle = follow(&app).await;
    let (change, other, _) = tokio::join!(old.next(), idle.next(), ada.create_titled("x"));
    assert!(change.is_ok() && other.is_ok());
    migrate::new_epoch(&app.db).await.expect("a new epoch");
    let mut new = follow(&app).await;
    let (change, told, id) = tokio::join!(timeout(SOON, new.next()), timeout(SOON, old.next()), ada.create_titled("y"));
    assert_eq!(change.expect("in time").expect("a change").changed.id.to_string(), id);
    assert!(matches!(told.expect("in time"), Err(taskql::domain::Error::SyncTokenExpired)));
    assert!(matches!(timeout(SOON, idle.next()).await.expect("in time"), Err(taskql::domain::Error::SyncTokenExpired)));
    // Where nobody joins, the poll finds it.
    let store = app.store.clone();
    let polling = tokio::spawn(async move { feed::keep_woken(&store).await });
    migrate::new_epoch(&app.db).await.expect("a new epoch");
    assert!(matches!(timeout(SOON, new.next()).await.expect("in time"), Err(taskql::domain::Error::SyncTokenExpired)));
    polling.abort();
    drop((old, idle, new));
    assert_eq!((feed::status(&app.store).users, feed::status(&app.store).followers), (0, 0));
}

#[tokio::test]
async fn a_follower_that_is_a_little_behind_hears_of_a_task_once() {
    let app = TestApp::new().await;
    let ada = app.user("ada");
    let mut quick = follow(&app).await;
    let mut behind = follow(&app).await;
    let (first, again, id) = tokio::join!(quick.next(), behind.next(), ada.create_titled("x"));
    assert!(first.is_ok() && again.is_ok());
    for _ in 0..4 {
        let toggle = "mutation($id: ID!) { toggleTask(id: $id) { task { id } } }";
        let variables = json!({ "id": id });
        let (change, _) = tokio::join!(quick.next(), ada.send(toggle, variables));
        assert_eq!(change.expect("a change").kind, feed::ChangeKind::Updated);
    }
    let change = timeout(SOON, behind.next()).await.expect("in time").expect("a change");
    let Some(Object::Task(row)) = &change.changed.object else { panic!("{change:?} has no task") };
    assert_eq!((change.kind, row.model().expect("a task").version), (feed::ChangeKind::Updated, 5));
    assert!(timeout(Duration::from_millis(100), behind.next()).await.is_err(), "and of no earlier state");
}

#[tokio::test]
async fn who_reads_nothing_holds_up_nobody_and_is_let_go() {
    let app = TestApp::with(|app| app.timeouts.socket_send = Duration::from_secs(2)).await;
    let served = Served::start(&app).await;
    let ada = app.user("ada");
    // A socket that subscribes often and never reads.
    let mut stuck = Socket::of(&served.address, &token("ada")).await;
    for n in 0..50 {
        stuck.subscribe(&n.to_string(), CHANGED, json!({})).await;
    }
    let mut good = Socket::of(&served.address, &token("ada")).await;
    good.subscribe("1", CHANGED, ada.since().await).await;
    assert_eq!(app.streams_open().await, 2);
    let description = "x".repeat(10_000);
    let mut slowest = Duration::ZERO;
    for n in 0..60 {
        let began = Instant::now();
        let (heard, _) =
            tokio::join!(good.hear(), ada.create(json!({"title": n.to_string(), "description": description})));
        assert_eq!(heard["payload"]["data"]["taskChanged"]["task"]["title"], n.to_string());
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    // It is given up after two seconds in which it took no byte. It has two more to read why, after what was on its way.
    let began = Instant::now();
    while app.streams_open().await > 1 {
        assert!(began.elapsed() < SOON, "it is let go");
        tokio::task::yield_now().await;
    }
    let (code, reason) = stuck.closed().await;
    assert_eq!(code, 1013, "{reason}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_of_anybody_else_under_load() {
    let _alone = alone().await;
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let users = (0..20).map(|n| {
        let (client, address) = (app.user(&format!("user-{n}")), served.address.clone());
        tokio::spawn(async move {
            let name = format!("user-{n}");
            let mut sockets = Vec::new();
            for _ in 0..3 {
                let mut socket = Socket::of(&address, &token(&name)).await;
                socket.subscribe("1", CHANGED, client.since().await).await;
                sockets.push(socket);
            }
            let mut made = BTreeSet::new();
            for m in 0..15 {
                made.insert(client.create_titled(&format!("{name} {m}")).await);
            }
            for mut socket in sockets {
                let mut told = BTreeSet::new();
                while told.len() < made.len() {
                    let change = socket.hear().await["payload"]["data"]["taskChanged"].clone();
                    assert_eq!(change["task"]["owner"]["id"], name.as_str(), "{change}");
                    told.insert(change["taskId"].as_str().expect("an id").to_owned());
                }
                assert_eq!(told, made);
            }
        })
    });
    for user in users.collect::<Vec<_>>() {
        user.await.expect("it ends well");
    }
}

#[tokio::test]
async fn each_change_shows_its_owner_as_of_then() {
    let app = TestApp::new().await;
    let served = Served::start(&app).await;
    let mut socket = Socket::of(&served.address, &token("ada")).await;
    socket.subscribe("1", CHANGED, app.user("ada").since().await).await;
    for name in ["Ada", "Ada Lovelace"] {
        let claims =
            TokenClaims { sub: "ada", name: Some(name), ttl: Duration::from_mins(5), ..TokenClaims::default() };
        let mut client = app.anonymous();
        client.authorization = Some(format!("Bearer {}", sign(crate::support::SECRET, &claims)));
        client.create_titled("x").await;
        let change = socket.hear().await;
        assert_eq!(change["payload"]["data"]["taskChanged"]["task"]["owner"]["name"], name);
    }
}
