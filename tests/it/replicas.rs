//! Several servers on one database, killed again and again while clients write and follow: every copy that is kept by a
//! subscription ends as the list. Five seconds of it, or as many as `TASKQL_CHAOS_SECONDS` says; on SQLite one server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use taskql::database::connect::connect;
use tokio::time::timeout;

use crate::support::{Process, Socket, TestDatabase, alone, folder, request, server, token};

const SECRET: &str = "a secret of the tests, 32 bytes and more";
const CHANGED: &str = "subscription($since: String) { taskChanged(since: $since) {
    kind taskId syncToken task { id title completed version } } }";
const LIST: &str =
    "query($after: String) { tasks(first: 100, after: $after) { syncToken pageInfo { hasNextPage endCursor }
    nodes { id title completed version } } }";
const USERS: usize = 5;
const SUBSCRIBERS: usize = 50;

type Tasks = BTreeMap<String, Value>;

/// Numbers that look random, from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap_or_default()
    }
}

/// Servers, each with its address for as long as it runs.
struct Servers {
    database: TestDatabase,
    addresses: Mutex<Vec<String>>,
}

impl Servers {
    fn any(&self, random: &mut Random) -> Option<String> {
        let addresses = self.addresses.lock().expect("not poisoned");
        (!addresses.is_empty()).then(|| addresses[random.below(addresses.len())].clone())
    }

    async fn start(&self) -> Process {
        let variables = [
            ("DATABASE_URL", self.database.url.as_str()),
            ("TASKQL_JWT_SECRET", SECRET),
            ("TASKQL_RATE_LIMIT", "0"),
            ("TASKQL_LOG", "taskql=warn,taskql::cli=info"),
        ];
        let process = Process::start(&folder(), &variables).await;
        self.addresses.lock().expect("not poisoned").push(process.address.clone());
        process
    }

    fn forget(&self, process: &Process) {
        self.addresses.lock().expect("not poisoned").retain(|address| *address != process.address);
    }
}

/// What happened.
#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    changes: AtomicUsize,
    writes: AtomicUsize,
    kills: AtomicUsize,
    cuts: AtomicUsize,
}

async fn ask(address: &str, user: &str, query: &str, variables: Value) -> Option<Value> {
    let body = json!({"query": query, "variables": variables}).to_string();
    let headers = format!("authorization: Bearer {}\r\ncontent-type: application/json\r\n", token(user));
    let asked = request(address, "POST", "/graphql", &headers, body.as_bytes());
    let (status, body) = timeout(Duration::from_secs(10), asked).await.ok()?.ok()?;
    (status == 200).then(|| body["data"].clone())
}

/// The list, and a token that is early at most.
async fn load(address: &str, user: &str) -> Option<(Tasks, Value)> {
    let (mut tasks, mut token, mut after) = (Tasks::new(), Value::Null, Value::Null);
    loop {
        let page = ask(address, user, LIST, json!({"after": after})).await?["tasks"].clone();
        if token.is_null() {
            token = page["syncToken"].clone();
        }
        for node in page["nodes"].as_array()? {
            tasks.insert(node["id"].as_str()?.to_owned(), node.clone());
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return Some((tasks, token));
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Keeps a copy by a subscription alone, and reconnects with its last token whenever it is cut off.
async fn subscriber(servers: Arc<Servers>, counts: Arc<Counts>, user: String, copy: Arc<Mutex<Tasks>>, seed: u64) {
    let mut random = Random(seed);
    let mut since = loop {
        let Some(address) = servers.any(&mut random) else { continue };
        if let Some((tasks, token)) = load(&address, &user).await {
            *copy.lock().expect("not poisoned") = tasks;
            break token;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    loop {
        let address = servers.any(&mut random);
        let opened = async { Socket::speaking(address.as_deref()?).await.ok() }.await;
        let Some(mut socket) = opened else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        counts.connections.fetch_add(1, Ordering::Relaxed);
        let authorization = format!("Bearer {}", token(&user));
        socket.say(json!({"type": "connection_init", "payload": {"Authorization": authorization}})).await;
        socket.subscribe("1", CHANGED, json!({"since": since})).await;
        // Some leave by themselves after a while.
        let leaves = Instant::now() + Duration::from_millis(500 + random.below(4_000) as u64);
        while let Ok(Some(message)) = tokio::time::timeout_at(leaves.into(), socket.try_hear()).await {
            if message["type"] == "connection_ack" {
                continue;
            }
            let change = &message["payload"]["data"]["taskChanged"];
            let id = change["taskId"].as_str().unwrap_or_else(|| panic!("{message}")).to_owned();
            let mut copy = copy.lock().expect("not poisoned");
            if change["kind"] == "DELETED" {
                copy.remove(&id);
            } else {
                copy.insert(id, change["task"].clone());
            }
            since = change["syncToken"].clone();
            counts.changes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn writer(servers: Arc<Servers>, counts: Arc<Counts>, user: String, stop: Arc<AtomicBool>, seed: u64) {
    let mut random = Random(seed);
    let mut ids: Vec<String> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let Some(address) = servers.any(&mut random) else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let (query, at) = match (random.below(10), ids.len()) {
            (0..4, _) | (_, 0) => {
                ("mutation($id: ID!) { createTask(input: {id: $id, title: \"new\"}) { task { id } } }", None)
            }
            (4..8, some) => ("mutation($id: ID!) { toggleTask(id: $id) { task { id } } }", Some(random.below(some))),
            (_, some) => ("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", Some(random.below(some))),
        };
        let id = at.map_or_else(|| uuid::Uuid::new_v4().to_string(), |at| ids[at].clone());
        if ask(&address, &user, query, json!({"id": id})).await.is_some() {
            counts.writes.fetch_add(1, Ordering::Relaxed);
        }
        match at {
            None => ids.push(id),
            Some(at) if query.contains("deleteTask") => _ = ids.swap_remove(at),
            Some(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(random.below(20) as u64)).await;
    }
}

/// Kills a server now and then and starts another one; cuts the connections that listen.
async fn unrest(servers: &Servers, counts: &Counts, mut running: Vec<Process>, until: Instant) -> Vec<Process> {
    let mut random = Random(7);
    let db = connect(&servers.database.url, 1).await.expect("the database opens");
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(1_000 + random.below(1_500) as u64)).await;
        if server().is_some() && random.below(2) == 0 {
            let cut = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and query like 'LISTEN%'";
            db.execute_unprepared(cut).await.expect("cut");
            counts.cuts.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let mut process = running.swap_remove(random.below(running.len()));
        servers.forget(&process);
        // Half of them may say goodbye.
        process.signal(if random.below(2) == 0 { "KILL" } else { "TERM" }).await;
        process.child.wait().await.expect("it ends");
        counts.kills.fetch_add(1, Ordering::Relaxed);
        running.push(servers.start().await);
    }
    running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_kept_by_subscriptions_equal_the_list_whatever_is_killed() {
    let _alone = alone().await;
    let seconds = std::env::var("TASKQL_CHAOS_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let servers = Arc::new(Servers { database: TestDatabase::empty().await, addresses: Mutex::default() });
    let counts = Arc::new(Counts::default());
    let mut running = vec![servers.start().await];
    if server().is_some() {
        running.push(servers.start().await);
    }
    let user = |n: usize| format!("user-{}", n % USERS);
    let stop = Arc::new(AtomicBool::new(false));
    let seeds = 1_000_003..;
    let writers: Vec<_> = (0..USERS)
        .zip(seeds.clone())
        .map(|(n, seed)| {
            tokio::spawn(writer(Arc::clone(&servers), Arc::clone(&counts), user(n), Arc::clone(&stop), seed))
        })
        .collect();
    let copies: Vec<Arc<Mutex<Tasks>>> = (0..SUBSCRIBERS).map(|_| Arc::default()).collect();
    let subscribers: Vec<_> = (0..SUBSCRIBERS)
        .zip(seeds)
        .map(|(n, seed)| {
            let copy = Arc::clone(&copies[n]);
            tokio::spawn(subscriber(Arc::clone(&servers), Arc::clone(&counts), user(n), copy, seed * 7_919))
        })
        .collect();
    let running = unrest(&servers, &counts, running, Instant::now() + Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("it ends well");
    }
    let mut expected = Vec::new();
    for n in 0..USERS {
        expected.push(load(&running[0].address, &user(n)).await.expect("a list").0);
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    for (n, copy) in copies.iter().enumerate() {
        while *copy.lock().expect("not poisoned") != expected[n % USERS] {
            assert!(!subscribers[n].is_finished(), "subscriber {n} ended");
            assert!(Instant::now() < deadline, "the copy of subscriber {n} is not the list");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let told = |count: &AtomicUsize| count.load(Ordering::Relaxed);
    println!(
        "chaos: {SUBSCRIBERS} copies equal their lists after {seconds} s: {} writes, {} changes told, {} connections, {} servers killed, {} listeners cut",
        told(&counts.writes),
        told(&counts.changes),
        told(&counts.connections),
        told(&counts.kills),
        told(&counts.cuts),
    );
    assert!(told(&counts.connections) > 2 * SUBSCRIBERS && told(&counts.kills) > 0 && told(&counts.changes) > 0);
    subscribers.iter().for_each(tokio::task::JoinHandle::abort);
}

/// How long changes take to arrive on another server, the shortest first.
async fn delays(writing: &str, following: &str, rounds: usize) -> Vec<Duration> {
    let mut socket = Socket::of(following, &token("ada")).await;
    let (_, since) = load(following, "ada").await.expect("a list");
    socket.subscribe("1", CHANGED, json!({ "since": since })).await;
    let mut delays = Vec::new();
    for _ in 0..rounds {
        let create = "mutation { createTask(input: {title: \"x\"}) { task { id } } }";
        ask(writing, "ada", create, json!({})).await.expect("it is made");
        let committed = Instant::now();
        socket.hear().await;
        delays.push(committed.elapsed());
    }
    delays.sort();
    delays
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_arrives_on_another_server_at_once_and_without_a_notification_soon() {
    if server().is_none() {
        return;
    }
    let _alone = alone().await;
    let servers = Servers { database: TestDatabase::empty().await, addresses: Mutex::default() };
    let (one, other) = (servers.start().await, servers.start().await);
    let quick = delays(&one.address, &other.address, 41).await;
    println!("arrival on another server: median {:?}, longest {:?}", quick[20], quick[40]);
    assert!(quick[20] < Duration::from_millis(250), "{quick:?}");
    // Nobody is told of what others write to the database. The poll finds it.
    let db = connect(&servers.database.url, 1).await.expect("the database opens");
    let mut socket = Socket::of(&other.address, &token("ada")).await;
    let (_, since) = load(&other.address, "ada").await.expect("a list");
    socket.subscribe("1", CHANGED, json!({ "since": since })).await;
    // It follows once it has told something.
    let create = "mutation { createTask(input: {title: \"x\"}) { task { id } } }";
    ask(&other.address, "ada", create, json!({})).await.expect("it is made");
    socket.hear().await;
    let began = Instant::now();
    db.execute_unprepared(
        "begin; update users set revision = revision + 1 where id = 'ada';
         update tasks set title = 'silent', version = version + 1,
            revision = (select revision from users where id = 'ada')
         where id = (select id from tasks where user_id = 'ada' limit 1); commit",
    )
    .await
    .expect("written");
    let change = socket.hear().await;
    assert_eq!(change["payload"]["data"]["taskChanged"]["task"]["title"], "silent", "{change}");
    println!("without a notification: {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
