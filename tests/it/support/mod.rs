//! What tests stand on.

mod app;
mod database;
mod process;

pub(crate) use app::{Answer, Client, SECRET, TASK, TestApp, token};
pub(crate) use database::{TestDatabase, server};
pub(crate) use process::{Process, folder, taskql};
