//! The suite: requests through the real router on a real database. SQLite by default; with `TASKQL_TEST_DATABASE` set
//! to the URL of a PostgreSQL server, on databases of its own there. `scripts/test` runs it on both.

mod access;
mod answers;
mod attacks;
mod concurrency;
mod development;
mod documents;
mod event_stream;
mod faults;
mod follow;
mod fuzz;
mod graphql;
mod http;
mod introspection;
mod keys;
mod layers;
mod limits;
mod list;
mod memory;
mod migrations;
mod pages;
mod persisted;
mod plan;
mod plans;
mod quota;
mod replicas;
mod schema;
mod secrets;
mod server;
mod settings;
mod socket;
mod statements;
mod support;
mod sync;
mod task;
#[cfg(feature = "otlp")]
mod traces;
