//! Requests and their levels: what the tables hold, and the rules by which it changes.
//!
//! Invariant: whoever changes a request holds the lock of its row, so that the rules are checked
//! against the state they change.

mod approve;
mod create;
mod read;

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use postgres_types::{FromSql, ToSql};
use serde::{Deserialize, Serialize};
use tokio_postgres::Error;
use uuid::Uuid;

pub use approve::{Approval, approve};
pub use create::{NewLevel, NewRequest, create};
pub use read::{Page, PageQuery, list, show};

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSql, FromSql)]
#[serde(rename_all = "snake_case")]
#[postgres(name = "request_status", rename_all = "snake_case")]
pub enum RequestStatus {
    /// Not submitted yet.
    Draft,
    /// At one of its levels.
    Pending,
    /// Every level approved it.
    Approved,
    /// A level rejected it.
    Rejected,
    /// Its initiator took it back.
    Withdrawn,
}

/// How turnaround time is counted: business hours, or around the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSql, FromSql)]
#[serde(rename_all = "snake_case")]
#[postgres(name = "request_priority", rename_all = "snake_case")]
pub enum Priority {
    /// Business hours.
    #[default]
    Standard,
    /// Around the clock.
    Express,
}

/// Where a level stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSql, FromSql)]
#[serde(rename_all = "snake_case")]
#[postgres(name = "level_status", rename_all = "snake_case")]
pub enum LevelStatus {
    /// Its turn has not come.
    Waiting,
    /// Its approver is to decide.
    InProgress,
    /// Its approver agreed.
    Approved,
    /// Its approver did not agree.
    Rejected,
    /// It was passed over.
    Skipped,
}

/// A request as lists show it.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Its key.
    pub id: Uuid,
    /// The number people quote.
    pub request_number: i64,
    /// What is asked for.
    pub title: String,
    /// What is to be said about it.
    pub description: String,
    /// Who asks.
    pub initiator: String,
    /// For which department.
    pub department: Option<String>,
    /// How turnaround time is counted.
    pub priority: Priority,
    /// Where it stands.
    pub status: RequestStatus,
    /// The level that is to decide; none when it is not pending.
    pub current_level: Option<i16>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was submitted.
    pub submitted_at: Option<Timestamp>,
    /// When it was decided or withdrawn.
    pub closed_at: Option<Timestamp>,
}

/// One step of a request.
#[derive(Clone, Debug, Serialize)]
pub struct Level {
    /// Its place in the order, from 1.
    pub level_number: i16,
    /// What it is called.
    pub name: String,
    /// Who decides.
    pub approver: String,
    /// Hours to decide in.
    pub tat_hours: i32,
    /// Where it stands.
    pub status: LevelStatus,
    /// When its turn came.
    pub started_at: Option<Timestamp>,
    /// When it is due, by today's calendar of holidays.
    pub due_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// What the approver said.
    pub remarks: Option<String>,
}

/// Something that happened to a request.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    /// What, by the names of the type `activity_kind`.
    pub kind: String,
    /// At which level.
    pub level_number: Option<i16>,
    /// Who did it; none for the system itself.
    pub actor: Option<String>,
    /// When.
    pub occurred_at: Timestamp,
}

/// A request with everything the service knows of it.
#[derive(Clone, Debug, Serialize)]
pub struct RequestDetail {
    /// The request itself; its fields stand beside `levels`.
    #[serde(flatten)]
    pub request: Request,
    /// Its levels, in order.
    pub levels: Vec<Level>,
    /// Its history, oldest first.
    pub activities: Vec<Activity>,
}

/// A statement whose number of rows says nothing new.
async fn execute(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<(), Error> {
    transaction.execute(sql, parameters).await.map(|_n_rows| ())
}
