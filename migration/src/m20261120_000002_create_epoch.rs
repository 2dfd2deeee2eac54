//! The epoch of the database: sync tokens of another one have expired. A backup that is restored gets a new epoch, since
//! its users' revisions go back to numbers that were used already.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let random = match manager.get_database_backend() {
            DbBackend::Postgres => "replace(gen_random_uuid()::text, '-', '')",
            _ => "lower(hex(randomblob(16)))",
        };
        let db = manager.get_connection();
        // One row: the key can have one value.
        db.execute_unprepared(
            "create table epoch (id integer not null primary key check (id = 1), value text not null)",
        )
        .await?;
        db.execute_unprepared(&format!("insert into epoch (id, value) values (1, {random})")).await?;
        Ok(())
    }
}
