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

const POSTGRES: [&str; 6] = [
    "alter table users alter column task_count set default 0, alter column completed_count set default 0",
    "create function taskql_count_tasks() returns trigger language plpgsql as $$
     begin
         if tg_op = 'INSERT' then
             update users set task_count = task_count + 1, completed_count = completed_count + new.completed::int
             where id = new.user_id;
         elsif tg_op = 'DELETE' then
             update users set task_count = task_count - 1, completed_count = completed_count - old.completed::int
             where id = old.user_id;
         else
             update users set completed_count = completed_count + new.completed::int - old.completed::int
             where id = new.user_id;
         end if;
         return null;
     end $$",
    "create trigger count_task after insert on tasks for each row execute function taskql_count_tasks()",
    "create trigger count_deleted_task after delete on tasks for each row execute function taskql_count_tasks()",
    "create trigger count_completed_task after update of completed on tasks for each row
     when (old.completed is distinct from new.completed) execute function taskql_count_tasks()",
    // Written by each task's trigger: room for another version of the row on its page.
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
