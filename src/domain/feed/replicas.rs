//! Wake-ups from and for other processes on the same database. On PostgreSQL they travel by NOTIFY, after the commit,
//! many users in one notification; inside the transaction it would put all commits in one queue. None of it has to be
//! relied on: every two seconds it is looked up how far the followed users have come, which finds what a notification
//! that was lost would have told, and whatever else writes to the database.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use sea_orm::DbBackend;
use sea_orm::sqlx::{self};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::hub::Hub;
use super::reading;
use crate::database::{Cell, ColumnKind, Sql, cell};
use crate::domain::{Error, Store, UserId};

/// The channel of the notifications.
const CHANNEL: &str = "taskql_changes";
/// How long wake-ups are gathered before they are sent.
const GATHER_FOR: Duration = Duration::from_millis(5);
/// Most wake-ups that wait to be sent.
const MAX_WAITING: usize = 10_000;
/// Most bytes of a notification; PostgreSQL takes less than 8,000.
const MAX_PAYLOAD_BYTES: usize = 7_900;
/// How often it is looked up how far the followed users have come.
const POLL_EVERY: Duration = Duration::from_secs(2);
/// Users of one look-up.
const POLL_BATCH: usize = 500;
/// How long to wait before listening again: at first, and at most.
const LISTEN_AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// Keeps those who follow changes in this process woken, for as long as it is awaited.
pub async fn keep_woken(store: &Store) {
    if store.backend() == DbBackend::Postgres
        && let Some(outgoing) = Hub::of(store).take_outgoing(MAX_WAITING)
    {
        tokio::join!(keep_polling(store), keep_sending(store, outgoing), keep_listening(store));
    } else {
        keep_polling(store).await;
    }
}

async fn keep_polling(store: &Store) {
    let mut ticks = interval(POLL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = poll(store).await {
            tracing::warn!(?error, "it could not be looked up how far users have come; it is tried again");
        }
    }
}

/// Looks up how far the followed users have come, and the epoch. One statement for 500 of them, and one more.
async fn poll(store: &Store) -> Result<(), Error> {
    let users = Hub::of(store).users();
    if users.is_empty() {
        return Ok(());
    }
    let epoch = reading::epoch(store).await?;
    for users in users.chunks(POLL_BATCH) {
        let mut sql = Sql::new("select id, revision from users where id in (");
        sql.bind_all(users.iter().map(UserId::as_str)).push(")");
        for row in store.read(sql).await? {
            if let (Cell::Text(id), Cell::Int(revision)) =
                (cell(&row, 0, ColumnKind::Text)?, cell(&row, 1, ColumnKind::BigInt)?)
                && let Some(id) = UserId::new(id)
            {
                Hub::of(store).correct(&id, revision, &epoch);
            }
        }
    }
    Ok(())
}

async fn keep_sending(store: &Store, mut outgoing: mpsc::Receiver<(UserId, i64)>) {
    let mut gathered = Vec::new();
    while outgoing.recv_many(&mut gathered, MAX_WAITING).await > 0 {
        sleep(GATHER_FOR).await;
        while let Ok(one) = outgoing.try_recv() {
            gathered.push(one);
        }
        if let Err(error) = send(store, gathered.drain(..)).await {
            tracing::warn!(?error, "other servers were not told of changes; they find out when they next poll");
        }
    }
}

/// Sends wake-ups. One statement for as many as go into a notification.
async fn send(store: &Store, gathered: impl Iterator<Item = (UserId, i64)>) -> Result<(), Error> {
    let mut latest: HashMap<UserId, i64> = HashMap::new();
    for (user, revision) in gathered {
        let known = latest.entry(user).or_default();
        *known = revision.max(*known);
    }
    for payload in payloads(latest) {
        let mut sql = Sql::new("select pg_notify(");
        sql.bind(CHANNEL).push(", ").bind(payload).push(")");
        store.read(sql).await?;
    }
    Ok(())
}

/// Wake-ups as JSON, `[["user", 7], …]`, in texts that each go into a notification.
fn payloads(latest: impl IntoIterator<Item = (UserId, i64)>) -> Vec<String> {
    let mut payloads: Vec<String> = Vec::new();
    for (user, revision) in latest {
        let one = serde_json::json!([user.as_str(), revision]).to_string();
        match payloads.last_mut() {
            Some(last) if last.len() + one.len() + 2 <= MAX_PAYLOAD_BYTES => {
                last.push(',');
                last.push_str(&one);
            }
            _ => payloads.push(format!("[{one}")),
        }
    }
    for payload in &mut payloads {
        payload.push(']');
    }
    payloads
}

async fn keep_listening(store: &Store) -> Infallible {
    let [first, longest] = LISTEN_AGAIN_AFTER;
    let mut wait = first;
    loop {
        let mut has_heard = false;
        if let Err(error) = listen(store, &mut has_heard).await {
            tracing::warn!(%error, "the connection that listens for changes was lost; polling goes on, and it is opened again");
        }
        wait = if has_heard { first } else { longest.min(wait * 2) };
        sleep(wait).await;
    }
}

/// Listens until the connection is lost.
async fn listen(store: &Store, has_heard: &mut bool) -> Result<(), sqlx::Error> {
    let mut listener = store.database().listen(CHANNEL).await?;
    *has_heard = true;
    // What was sent while nobody listened is found at once.
    if let Err(error) = poll(store).await {
        tracing::warn!(?error, "it could not be looked up how far users have come; it is tried again");
    }
    while let Some(notification) = listener.try_recv().await? {
        let Ok(wake_ups) = serde_json::from_str::<Vec<(String, i64)>>(notification.payload()) else {
            tracing::debug!("a notification is none of ours");
            continue;
        };
        for (user, revision) in wake_ups {
            if let Some(user) = UserId::new(&user) {
                Hub::of(store).wake(&user, revision);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wake_ups_of_many_users_go_into_notifications_that_postgresql_takes() {
        let ids: Vec<UserId> =
            (0..300).map(|n| UserId::new(&format!("{n:0>9}\u{1}{}", "ü".repeat(60))).expect("an id")).collect();
        let payloads = payloads(ids.iter().cloned().zip(1..));
        assert!(payloads.len() > 1 && payloads.iter().all(|payload| payload.len() < 8_000));
        let told: Vec<(String, i64)> =
            payloads.iter().flat_map(|text| serde_json::from_str::<Vec<_>>(text).expect("JSON")).collect();
        let expected: Vec<(String, i64)> = ids.iter().map(UserId::to_string).zip(1..).collect();
        assert_eq!(told, expected);
    }
}
