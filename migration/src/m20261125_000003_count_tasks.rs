//! How many tasks a user has, and how many of them are completed, in the user's row. Triggers keep both, so that they are
//! right whoever writes: replicas of the version before, too. Users that were there already have none until somebody
//! counts; what is added to nothing stays nothing.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (number, statements): (_, &[&str]) = match manager.get_database_backend() {
            DbBackend::Postgres => ("bigint", &POSTGRES),
            _ => ("integer", &SQLITE),
        };
        let db = manager.get_connection();
        // Who is new begins with none. The default holds for new rows only: it is set once the old ones have no number.
        for column in ["task_count", "completed_count"] {
            db.execute_unprepared(&format!("alter table users add column {column} {number}")).await?;
        }
        for statement in statements {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

// Once a statement where many rows can come or go: a row that is written thousands of times in one transaction gets slow.
const POSTGRES: [&str; 8] = [
    "alter table users alter column task_count set default 0, alter column completed_count set default 0",
    "create function taskql_count_new_tasks() returns trigger language plpgsql as $$
     begin
         update users set task_count = task_count + made.tasks, completed_count = completed_count + made.completed
         from (select user_id, count(*) as tasks, count(*) filter (where completed) as completed
               from changed group by user_id) as made
         where users.id = made.user_id;
         return null;
     end $$",
    "create function taskql_count_deleted_tasks() returns trigger language plpgsql as $$
     begin
         update users set task_count = task_count - gone.tasks, completed_count = completed_count - gone.completed
         from (select user_id, count(*) as tasks, count(*) filter (where completed) as completed
               from changed group by user_id) as gone
         where users.id = gone.user_id;
         return null;
     end $$",
    "create function taskql_count_completed_task() returns trigger language plpgsql as $$
     begin
         update users set completed_count = completed_count + new.completed::int - old.completed::int
         where id = new.user_id;
         return null;
     end $$",
    "create trigger count_new_tasks after insert on tasks referencing new table as changed
     for each statement execute function taskql_count_new_tasks()",
    "create trigger count_deleted_tasks after delete on tasks referencing old table as changed
     for each statement execute function taskql_count_deleted_tasks()",
    "create trigger count_completed_task after update of completed on tasks for each row
     when (old.completed is distinct from new.completed) execute function taskql_count_completed_task()",
    // Each write changes the row twice: room for another version of it on its page.
    "alter table users set (fillfactor = 80)",
];

// SQLite cannot change a column's default: a new user's row gets its numbers by a trigger of its own.
const SQLITE: [&str; 4] = [
    "create trigger count_no_tasks after insert on users when new.task_count is null
     begin
         update users set task_count = 0, completed_count = 0 where id = new.id;
     end",
    "create trigger count_task after insert on tasks
     begin
         update users set task_count = task_count + 1, completed_count = completed_count + new.completed
         where id = new.user_id;
     end",
    "create trigger count_deleted_task after delete on tasks
     begin
         update users set task_count = task_count - 1, completed_count = completed_count - old.completed
         where id = old.user_id;
     end",
    "create trigger count_completed_task after update of completed on tasks when old.completed <> new.completed
     begin
         update users set completed_count = completed_count + new.completed - old.completed where id = new.user_id;
     end",
];
