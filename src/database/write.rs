//! Writes as data: which row, what becomes of it, and under which conditions. A write takes the user's row first, which
//! puts the user's writes in order and numbers the change; then it changes its own row, or nothing if a condition is
//! not met. There are two ways to send it:
//!
//! - as statements in a transaction: [`Write::owner`], [`Write::row`], [`Write::tombstone`];
//! - as one statement ([`Write::single`]), which is a transaction by itself and one round trip in place of four. On SQLite,
//!   where a statement is no round trip, there is nothing to gain by it.
//!
//! In the single statement `owner` has to give its number before the row can get it, so the user's row is locked first
//! there too. A write of the same user that was faster is waited for, and PostgreSQL then looks at the row as that one
//! left it (READ COMMITTED, section 13.2.1 of its manual). If the row no longer meets the conditions by then, the
//! user's row stays raised and nothing else is changed: a number is passed over, which nobody notices.

use chrono::{DateTime, Utc};
use sea_orm::IdenStatic;
use sea_orm::sea_query::Value;
use uuid::Uuid;

use super::columns::{ColumnKind, Columns};
use super::row::set_values;
use super::sql::Sql;
use crate::entity::{COMMON, Noun};

/// Who writes, and when.
#[derive(Clone, Debug)]
pub(crate) struct Author<'w> {
    pub(crate) id: &'w str,
    /// What the token says of the user; what it does not say stays as it is.
    pub(crate) email: Option<&'w str>,
    pub(crate) name: Option<&'w str>,
    pub(crate) now: DateTime<Utc>,
}

/// A write of one row.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    table: &'static str,
    /// What the statement returns of the row.
    columns: String,
    pub(crate) id: Uuid,
    pub(crate) verb: Verb,
}

/// What becomes of the row.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    /// It is made.
    Insert {
        /// The values of its columns, but for those that every noun has.
        values: Vec<(&'static str, Value)>,
        /// Whether the id is the client's own, so that the row may be there already.
        may_exist: bool,
        /// How many tasks the user may have with it; no limit where absent.
        quota: Option<i64>,
    },
    /// It is changed: if there is something to assign, and one of the values differs from what is there.
    Update { assignments: Vec<Assignment>, expected_version: Option<i32> },
    /// It is removed; a tombstone stays.
    Delete { expected_version: Option<i32> },
}

/// A column and what it is to have.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    column: &'static str,
    to: Expression,
}

#[derive(Clone, Debug)]
pub(crate) enum Expression {
    /// A value.
    Value(Value),
    /// What follows from the row as it was; `{now}` is the present instant.
    Sql(&'static str),
}

impl Assignment {
    pub(crate) fn new(column: impl IdenStatic, to: Expression) -> Self {
        Self { column: column.as_str(), to }
    }

    /// An assignment for each value of a patch that is set.
    pub(crate) fn of<N: Noun>(patch: &N::ActiveModel) -> Vec<Self> {
        set_values::<N>(patch).map(|(column, value)| Self::new(column, Expression::Value(value))).collect()
    }
}

impl Write {
    pub(crate) fn new<N: Noun>(id: Uuid, verb: Verb) -> Self {
        Self { table: N::default().table_name(), columns: Columns::<N>::all().names(), id, verb }
    }

    /// Makes a row of what a patch sets; other columns are empty.
    pub(crate) fn insert<N: Noun>(id: Uuid, patch: &N::ActiveModel, may_exist: bool, quota: Option<i64>) -> Self {
        let mut values: Vec<(&'static str, Value)> =
            set_values::<N>(patch).map(|(column, value)| (column.as_str(), value)).collect();
        for column in Columns::<N>::all().iter() {
            let name = column.as_str();
            if !COMMON.contains(&name) && values.iter().all(|(set, _)| *set != name) {
                values.push((name, ColumnKind::of(&column).null()));
            }
        }
        Self::new::<N>(id, Verb::Insert { values, may_exist, quota })
    }

    /// The version that the row must have, where one is given.
    pub(crate) fn expected_version(&self) -> Option<i32> {
        match self.verb {
            Verb::Insert { .. } => None,
            Verb::Update { expected_version, .. } | Verb::Delete { expected_version } => expected_version,
        }
    }

    /// Whether there is nothing to write, whatever the row holds.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.verb, Verb::Update { assignments, .. } if assignments.is_empty())
    }

    /// Takes the user's row, makes it at first sight, and returns its number, and how many tasks the user has.
    pub(crate) fn owner(author: &Author<'_>) -> Sql {
        let mut sql = Sql::default();
        let terms = Terms::new(&mut sql, author, "");
        terms.push_owner(&mut sql, author, "true", None);
        sql.push(" returning revision, task_count");
        sql
    }

    /// Counts the tasks of a user of the first version, of which nobody has kept count, and returns how many there are.
    pub(crate) fn count_tasks(author: &Author<'_>) -> Sql {
        let mut sql = Sql::default();
        let terms = Terms::new(&mut sql, author, "");
        let user = &terms.user;
        sql.push(&format!(
            "update users set task_count = (select count(*) from tasks where user_id = {user}),
                 completed_count = (select count(*) from tasks where user_id = {user} and completed)
             where id = {user} returning task_count"
        ));
        sql
    }

    /// Changes the row under a number. Returns that number and the row; nothing where the row is not there, or a condition
    /// is not met.
    pub(crate) fn row(&self, author: &Author<'_>, number: i64) -> Sql {
        let mut sql = Sql::default();
        let number = sql.parameter(number);
        let terms = Terms::new(&mut sql, author, &number);
        let id = sql.parameter(self.id);
        let assigned = self.assigned(&mut sql, &terms);
        let guards = self.guards(&mut sql, &assigned);
        self.push_row(&mut sql, &terms, &id, &assigned, &guards, "");
        sql
    }

    /// Leaves a tombstone of the row under a number.
    pub(crate) fn tombstone(&self, author: &Author<'_>, number: i64) -> Sql {
        let mut sql = Sql::default();
        let number = sql.parameter(number);
        let terms = Terms::new(&mut sql, author, &number);
        let id = sql.parameter(self.id);
        terms.push_tombstone(&mut sql, &id, "");
        sql
    }

    /// All of it as one statement.
    pub(crate) fn single(&self, author: &Author<'_>) -> Sql {
        let mut sql = Sql::default();
        let terms = Terms::new(&mut sql, author, "owner.number");
        let id = sql.parameter(self.id);
        let assigned = self.assigned(&mut sql, &terms);
        let guards = self.guards(&mut sql, &assigned);
        let condition = match self.verb {
            Verb::Insert { .. } => "true".to_owned(),
            Verb::Update { .. } | Verb::Delete { .. } => {
                let Terms { user, .. } = &terms;
                format!("exists (select 1 from {} where user_id = {user} and id = {id} and {guards})", self.table)
            }
        };
        let quota = match self.verb {
            Verb::Insert { quota, .. } => Some(quota.unwrap_or(i64::MAX)),
            Verb::Update { .. } | Verb::Delete { .. } => None,
        };
        sql.push("with owner as (");
        terms.push_owner(&mut sql, author, &condition, quota);
        sql.push(" returning revision as number)");
        if let Verb::Delete { .. } = self.verb {
            sql.push(", gone as (");
            self.push_row(&mut sql, &terms, &id, &assigned, &guards, " using owner");
            sql.push(") ");
            terms.push_tombstone(&mut sql, "gone.id", " from owner, gone");
        } else {
            sql.push(" ");
            self.push_row(&mut sql, &terms, &id, &assigned, &guards, " from owner");
        }
        sql
    }

    /// What is assigned, as the statement writes it.
    fn assigned(&self, sql: &mut Sql, terms: &Terms) -> Vec<Assigned> {
        let Verb::Update { assignments, .. } = &self.verb else { return Vec::new() };
        let assigned = |Assignment { column, to }: &Assignment| match to {
            Expression::Value(value) => Assigned { column, to: sql.parameter(value.clone()), is_value: true },
            Expression::Sql(text) => Assigned { column, to: text.replace("{now}", &terms.now), is_value: false },
        };
        assignments.iter().map(assigned).collect()
    }

    /// The conditions on the row, but for its id.
    fn guards(&self, sql: &mut Sql, assigned: &[Assigned]) -> String {
        let mut guards = Vec::new();
        if let Some(version) = self.expected_version() {
            guards.push(format!("version = {}", sql.parameter(version)));
        }
        let values = assigned.iter().filter(|assigned| assigned.is_value);
        let differs: Vec<String> =
            values.map(|Assigned { column, to, .. }| format!("{column} is distinct from {to}")).collect();
        if !differs.is_empty() {
            guards.push(format!("({})", differs.join(" or ")));
        }
        if guards.is_empty() { "true".to_owned() } else { guards.join(" and ") }
    }

    /// The statement on the row; `from` is where its number comes from.
    fn push_row(&self, sql: &mut Sql, terms: &Terms, id: &str, assigned: &[Assigned], guards: &str, from: &str) {
        let (table, columns, Terms { user, now, number }) = (self.table, &self.columns, terms);
        match &self.verb {
            Verb::Insert { values, may_exist, .. } => {
                sql.push("insert into ").push(table).push(" (").push(&COMMON.join(", "));
                for (column, _) in values {
                    sql.push(", ").push(column);
                }
                // In the order of COMMON.
                sql.push(&format!(") select {user}, {id}, {now}, {now}, 1, {number}, {number}, "));
                sql.bind_all(values.iter().map(|(_, value)| value.clone())).push(from);
                // The condition tells SQLite a join from a conflict.
                sql.push(if *may_exist { " where true on conflict (user_id, id) do nothing" } else { "" });
            }
            Verb::Update { .. } => {
                sql.push("update ").push(table);
                sql.push(&format!(" set version = version + 1, revision = {number}, updated_at = {now}"));
                for Assigned { column, to, .. } in assigned {
                    sql.push(", ").push(column).push(" = ").push(to);
                }
                sql.push(&format!("{from} where user_id = {user} and id = {id} and {guards}"));
            }
            Verb::Delete { .. } => {
                sql.push(&format!("delete from {table}{from} where user_id = {user} and id = {id} and {guards}"));
                sql.push(" returning id");
                return;
            }
        }
        sql.push(" returning ").push(table).push(".revision, ").push(columns);
    }
}

/// An assignment as a statement writes it.
struct Assigned {
    column: &'static str,
    to: String,
    is_value: bool,
}

/// How a statement names what all of its parts speak of.
struct Terms {
    user: String,
    now: String,
    /// The number of the change.
    number: String,
}

impl Terms {
    fn new(sql: &mut Sql, author: &Author<'_>, number: &str) -> Self {
        Self { user: sql.parameter(author.id), now: sql.parameter(author.now), number: number.to_owned() }
    }

    fn push_owner(&self, sql: &mut Sql, author: &Author<'_>, condition: &str, quota: Option<i64>) {
        let Self { user, now, .. } = self;
        let (email, name) = (sql.parameter(author.email), sql.parameter(author.name));
        sql.push(&format!(
            "insert into users (id, email, name, revision, swept_revision, created_at, updated_at, task_count, completed_count)
             select {user}, {email}, {name}, 1, 0, {now}, {now}, 0, 0 where {condition}
             on conflict (id) do update set revision = users.revision + 1, updated_at = excluded.updated_at,
                 email = coalesce(excluded.email, users.email), name = coalesce(excluded.name, users.name)"
        ));
        // Of a user that nobody has counted yet this is not true either: the transaction counts.
        if let Some(quota) = quota {
            sql.push(" where users.task_count < ").bind(quota);
        }
    }

    /// `from` is where the id and the number come from.
    fn push_tombstone(&self, sql: &mut Sql, id: &str, from: &str) {
        let Self { user, now, number } = self;
        sql.push(&format!(
            "insert into deleted_tasks (user_id, id, revision, deleted_at)
             select {user}, {id}, {number}, {now}{from} where true
             on conflict (user_id, id) do update set revision = excluded.revision, deleted_at = excluded.deleted_at
             returning revision"
        ));
    }
}
