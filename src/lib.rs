//! taskql: a GraphQL API server for personal tasks. ARCHITECTURE.md is the map.

pub mod auth;
pub mod cli;
pub mod config;
pub mod database;
pub mod domain;
pub mod entity;
pub mod graphql;
pub mod http;
pub mod telemetry;
