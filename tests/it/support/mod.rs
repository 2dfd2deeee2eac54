//! What tests stand on.

use tokio::sync::{Mutex, MutexGuard};

mod app;
mod database;
mod process;
mod provider;
mod socket;

pub(crate) use app::{Answer, Client, SECRET, TASK, TestApp, token, token_until};
pub(crate) use database::{TestDatabase, server};
pub(crate) use process::{Process, folder, request, request_raw, taskql};
pub(crate) use provider::{Key, Provider, ProviderAnswer};
pub(crate) use socket::{EventStream, Served, Socket};

/// For tests that measure time, and for those that leave no time to others: one of them at once.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}
