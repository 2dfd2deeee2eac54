//! The schema of taskql's database, step by step. Nothing of the server is imported here, so a migration keeps its
//! meaning when the server changes. A migration only adds: replicas of the version before keep running beside it.

pub use sea_orm_migration;
use sea_orm_migration::prelude::*;

mod m20261120_000001_create_tasks;
mod m20261120_000002_create_epoch;
mod m20261125_000003_count_tasks;

/// All migrations, oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261120_000001_create_tasks::Migration),
            Box::new(m20261120_000002_create_epoch::Migration),
            Box::new(m20261125_000003_count_tasks::Migration),
        ]
    }
}
