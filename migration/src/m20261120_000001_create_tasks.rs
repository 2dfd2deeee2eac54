//! Users, their tasks, and what is left of deleted tasks.
//!
//! The primary key of an owned table begins with its owner: a look-up that names no user cannot be written by
//! accident, and the rows of one user lie together. `title_key` is the case-folded title, compared bytewise, so that
//! both databases sort alike. Each list order has two indexes, one of them with the status before the order.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// The column types that differ between the databases.
struct Types {
    bool: &'static str,
    id: &'static str,
    instant: &'static str,
    key: &'static str,
    revision: &'static str,
    table_options: &'static str,
}

const POSTGRES: Types = Types {
    bool: "boolean",
    id: "uuid",
    instant: "timestamptz",
    key: "text collate \"C\"",
    revision: "bigint",
    table_options: "",
};

const SQLITE: Types =
    Types { bool: "integer", id: "blob", instant: "text", key: "text", revision: "integer", table_options: "strict" };

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let types = match manager.get_database_backend() {
            DbBackend::Postgres => POSTGRES,
            _ => SQLITE,
        };
        let db = manager.get_connection();
        for statement in tables(&types).into_iter().chain(INDEXES.iter().map(ToString::to_string)) {
            db.execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

fn tables(types: &Types) -> [String; 3] {
    let Types { bool, id, instant, key, revision, table_options } = types;
    [
        format!(
            "create table users (
                id {key} not null primary key check (octet_length(id) between 1 and 255),
                email text,
                name text,
                revision {revision} not null default 0,
                swept_revision {revision} not null default 0,
                created_at {instant} not null,
                updated_at {instant} not null
            ) {table_options}"
        ),
        format!(
            "create table tasks (
                user_id {key} not null references users (id) on delete cascade,
                id {id} not null,
                title text not null check (length(title) between 1 and 200),
                title_key {key} not null,
                description text check (length(description) <= 10000),
                completed {bool} not null default false,
                completed_at {instant},
                priority text check (priority in ('LOW', 'MEDIUM', 'HIGH')),
                due_date {instant},
                created_at {instant} not null,
                updated_at {instant} not null,
                version integer not null default 1 check (version >= 1),
                revision {revision} not null,
                created_revision {revision} not null,
                primary key (user_id, id),
                check (completed = (completed_at is not null))
            ) {table_options}"
        ),
        format!(
            "create table deleted_tasks (
                user_id {key} not null references users (id) on delete cascade,
                id {id} not null,
                revision {revision} not null,
                deleted_at {instant} not null,
                primary key (user_id, id)
            ) {table_options}"
        ),
    ]
}

const INDEXES: [&str; 9] = [
    "create index tasks_by_created on tasks (user_id, created_at, id)",
    "create index tasks_by_status_created on tasks (user_id, completed, created_at, id)",
    "create index tasks_by_title on tasks (user_id, title_key, id)",
    "create index tasks_by_status_title on tasks (user_id, completed, title_key, id)",
    "create index tasks_by_due_date on tasks (user_id, due_date, id)",
    "create index tasks_by_status_due_date on tasks (user_id, completed, due_date, id)",
    "create index tasks_by_revision on tasks (user_id, revision)",
    "create index deleted_tasks_by_revision on deleted_tasks (user_id, revision)",
    "create index deleted_tasks_by_age on deleted_tasks (deleted_at)",
];
