//! One connection, for as long as somebody has it: statements, one after the other, and a transaction around them.

use sea_orm::sea_query::Values;
use sea_orm::sqlx;
use sea_orm::{DbBackend, DbErr, QueryResult, RuntimeErr};
use tokio::sync::OwnedSemaphorePermit;

use super::pool::{Held, Pool};
use super::sql::Sql;
use super::{Error, statements};

/// The right to a connection, and the connection once a statement needs it.
pub(crate) struct Connection {
    pool: Pool,
    held: Option<Held>,
    /// Whether a transaction is open, or may be.
    in_transaction: bool,
    /// Whether a statement is under way, or was cut short.
    is_busy: bool,
    _permit: OwnedSemaphorePermit,
}

/// What a statement does, which decides whether it is safe to send twice when its connection was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing that lasts.
    Reads,
    /// It is a transaction by itself.
    Writes,
}

/// How a transaction ends that has not failed.
pub(crate) enum End<T> {
    /// What it did stays.
    Commit(T),
    /// What it did is undone; there is an answer all the same.
    Rollback(T),
}

impl Connection {
    /// One of a pool's connections.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where none is free for too long.
    pub(super) async fn of(pool: &Pool) -> Result<Self, Error> {
        let permit = pool.permit().await?;
        Ok(Self { pool: pool.clone(), held: None, in_transaction: false, is_busy: false, _permit: permit })
    }

    /// Which database it leads to.
    pub(crate) fn backend(&self) -> DbBackend {
        self.pool.db().get_database_backend()
    }

    /// Sends a statement and returns its rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Internal`].
    pub(crate) async fn query(&mut self, sql: Sql, effect: Effect) -> Result<Vec<QueryResult>, Error> {
        statements::count_one();
        self.send(sql, effect).await
    }

    /// Begins a transaction. On SQLite it takes the write lock at once: one that began by reading could not wait for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Internal`].
    pub(crate) async fn begin(&mut self) -> Result<(), Error> {
        let begin = match self.backend() {
            DbBackend::Postgres => "begin",
            _ => "begin immediate",
        };
        self.send(Sql::new(begin), Effect::Reads).await?;
        Ok(())
    }

    /// Ends the transaction: what failed is undone.
    ///
    /// # Errors
    /// `outcome`'s own; [`Error::Unavailable`] or [`Error::Internal`] where the database did not take it.
    pub(crate) async fn end<T, E: From<Error>>(mut self, outcome: Result<End<T>, E>) -> Result<T, E> {
        let (last, outcome) = match outcome {
            Ok(End::Commit(value)) => ("commit", Ok(value)),
            Ok(End::Rollback(value)) => ("rollback", Ok(value)),
            Err(error) => ("rollback", Err(error)),
        };
        let sent = self.send(Sql::new(last), Effect::Writes).await;
        // Where it was not sent, the connection is closed, which undoes the transaction.
        self.in_transaction = sent.is_err();
        if outcome.is_ok() {
            sent?;
        }
        outcome
    }

    /// Sends a statement. If the connection had been idle and was cut meanwhile, most likely because the database was
    /// restarted, the statement is sent a second time if that can do no harm.
    async fn send(&mut self, sql: Sql, effect: Effect) -> Result<Vec<QueryResult>, Error> {
        if self.held.is_none() && self.in_transaction {
            return Err(Error::Unavailable("the connection was lost in a transaction".into()));
        }
        // Before it is sent: a request that is dropped meanwhile must not leave a transaction open in the pool.
        self.in_transaction |= sql.text.starts_with("begin");
        if self.held.is_none()
            && let Some(idle) = self.pool.take_idle()
        {
            match self.send_by(idle, sql.clone()).await {
                Err(error) if is_cut(&error) => {
                    // The others were cut with it.
                    self.pool.release_idle();
                    if effect == Effect::Writes && !is_undone(&error) {
                        return Err(failed(error));
                    }
                }
                outcome => return outcome.map_err(failed),
            }
        }
        let held = match self.held.take() {
            Some(held) => held,
            None => self.pool.acquire().await.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?,
        };
        self.send_by(held, sql).await.map_err(failed)
    }

    async fn send_by(&mut self, held: Held, sql: Sql) -> Result<Vec<QueryResult>, sqlx::Error> {
        self.is_busy = true;
        let held = self.held.insert(held);
        let outcome = held.connection.query(&sql.text, Values(sql.values)).await;
        self.is_busy = false;
        if let Err(error) = &outcome
            // A transaction waits for its rollback.
            && (!self.in_transaction || is_cut(error) || is_read_only(error))
        {
            self.discard(is_read_only(error));
        }
        outcome
    }

    /// Gives the connection back to sqlx, which tests it, or closes it.
    fn discard(&mut self, is_useless: bool) {
        if let Some(mut held) = self.held.take()
            && (is_useless || self.in_transaction)
        {
            held.connection.close_on_drop();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_busy || self.in_transaction {
            self.discard(false);
        } else if let Some(held) = self.held.take() {
            self.pool.put_idle(held);
        }
    }
}

fn failed(error: sqlx::Error) -> Error {
    DbErr::Query(RuntimeErr::SqlxError(error.into())).into()
}

/// Whether the connection ended under a statement.
fn is_cut(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_)) || is_undone(error)
}

/// Whether PostgreSQL itself ended the connection, and says so in place of an answer: 57P01 to 57P05 (appendix A). Then
/// nothing was committed.
fn is_undone(error: &sqlx::Error) -> bool {
    code_of(error).is_some_and(|code| code.starts_with("57P"))
}

/// Whether the connection leads to a server that only reads: after a failover, the one that was left.
fn is_read_only(error: &sqlx::Error) -> bool {
    code_of(error).is_some_and(|code| code == "25006")
}

fn code_of(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    match error {
        sqlx::Error::Database(error) => error.code(),
        _ => None,
    }
}
