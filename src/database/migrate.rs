//! Bringing the database's schema up to date.

use std::collections::HashSet;

use migration::Migrator;
use migration::sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait, SchemaManager, seaql_migrations};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, QueryOrder, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};

use super::Error;

/// A number of ours for PostgreSQL's advisory locks: servers that start together take turns.
const LOCK: i64 = 0x7461_736b_716c;

/// What of the schema the database has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Migrations that are applied, oldest first.
    pub applied: Vec<String>,
    /// Migrations that this program has and the database has not.
    pub pending: Vec<String>,
    /// Migrations that the database has and this program does not know: a newer one made them.
    pub unknown: Vec<String>,
}

/// Looks at what is applied, without changing anything.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn status<'c>(db: impl IntoSchemaManagerConnection<'c>) -> Result<Status, Error> {
    let manager = SchemaManager::new(db);
    let mut applied = Vec::new();
    if manager.has_table(Migrator::migration_table_name().to_string()).await? {
        let rows = seaql_migrations::Entity::find().order_by_asc(seaql_migrations::Column::Version);
        applied.extend(rows.all(manager.get_connection()).await?.into_iter().map(|row| row.version));
    }
    let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    let (in_database, in_program): (HashSet<_>, HashSet<_>) = (applied.iter().collect(), known.iter().collect());
    Ok(Status {
        pending: known.iter().filter(|name| !in_database.contains(name)).cloned().collect(),
        unknown: applied.iter().filter(|name| !in_program.contains(name)).cloned().collect(),
        applied,
    })
}

/// Gives the database a new epoch: every sync token expires.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`].
pub async fn new_epoch(db: &DatabaseConnection) -> Result<(), Error> {
    let statement = "update epoch set value = $1";
    let values = [uuid::Uuid::new_v4().simple().to_string().into()];
    db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), statement, values)).await?;
    Ok(())
}

/// Applies what is pending, in one transaction that others wait for, and returns the status before. A database with
/// migrations of a newer program is left as it is.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Internal`]; nothing is applied then.
pub async fn migrate(db: &DatabaseConnection) -> Result<Status, Error> {
    let immediate =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let transaction = db.begin_with_options(immediate).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        // The others' work may take longer than a statement of a request may.
        transaction.execute_unprepared("set local statement_timeout = 0").await?;
        transaction.execute_unprepared(&format!("select pg_advisory_xact_lock({LOCK})")).await?;
    }
    let before = status(&transaction).await?;
    if before.unknown.is_empty() && !before.pending.is_empty() {
        Migrator::up(&transaction, None).await?;
    }
    transaction.commit().await?;
    Ok(before)
}
