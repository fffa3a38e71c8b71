//! The decision of one level, and what follows from it.

use deadpool_postgres::{Client, Transaction};
use serde::Deserialize;
use tokio_postgres::Row;
use uuid::Uuid;

use super::create::address;
use super::{LevelStatus, RequestDetail, RequestStatus, execute, show};
use crate::error::ApiError;

/// Who approves, and what that person says.
///
/// A real service would take the person from the session. This one has no login, so that it can be
/// tried with nothing but an HTTP client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who approves: the approver of that level.
    pub approver: String,
    /// What is to be said about it.
    #[serde(default)]
    pub remarks: Option<String>,
}

/// Approves the current level of a request. The next level starts; after the last the request is
/// approved.
///
/// # Errors
///
/// When there is no such request or level, when the level is not the current one, when somebody
/// else is its approver, and those of the database. Then nothing has changed.
///
/// # Cancellation
///
/// Nothing has changed, unless the future is dropped after COMMIT was sent.
pub async fn approve(
    client: &mut Client,
    id: Uuid,
    number: i16,
    approval: &Approval,
) -> Result<RequestDetail, ApiError> {
    let transaction = client.transaction().await?;
    // Whoever decides on the same request waits here until this transaction ends.
    let request = transaction
        .query_opt("SELECT status FROM workflow_requests WHERE id = $1 FOR UPDATE", &[&id])
        .await?
        .ok_or_else(|| ApiError::no_request(id))?;
    let level = transaction
        .query_opt(
            "SELECT level.status, level.approver,
                    (SELECT level_number FROM approval_levels
                     WHERE request_id = $1 AND status = 'in_progress') AS current_level
             FROM approval_levels AS level WHERE level.request_id = $1 AND level.level_number = $2",
            &[&id, &number],
        )
        .await?
        .ok_or_else(|| ApiError::NotFound(format!("request {id} has no level {number}")))?;

    let approver = address(&approval.approver);
    may_approve(&request, &level, number, &approver)?;
    record(&transaction, id, number, &approver, approval.remarks.as_deref()).await?;
    advance(&transaction, id, number).await?;
    let detail = show(&transaction, id).await?;
    transaction.commit().await?;
    detail.ok_or_else(|| ApiError::no_request(id))
}

/// The rules, on rows that are locked.
fn may_approve(request: &Row, level: &Row, number: i16, approver: &str) -> Result<(), ApiError> {
    let status: RequestStatus = request.try_get("status")?;
    if status != RequestStatus::Pending {
        let status = format!("{status:?}").to_lowercase();
        return Err(ApiError::Conflict(format!("the request is {status}, not pending")));
    }
    let level_status: LevelStatus = level.try_get("status")?;
    if level_status != LevelStatus::InProgress {
        let current: Option<i16> = level.try_get("current_level")?;
        let current = current.map_or_else(String::new, |current| format!(": level {current} is"));
        return Err(ApiError::Conflict(format!(
            "level {number} is not the current level{current}"
        )));
    }
    let expected: &str = level.try_get("approver")?;
    if expected != approver {
        return Err(ApiError::Forbidden(format!(
            "the approver of level {number} is somebody else"
        )));
    }
    Ok(())
}

async fn record(
    transaction: &Transaction<'_>,
    id: Uuid,
    number: i16,
    approver: &str,
    remarks: Option<&str>,
) -> Result<(), ApiError> {
    // Not CURRENT_TIMESTAMP: this transaction may have begun before the one that started the level
    // and then have waited for it at the lock. `greatest`: a server's clock may be set back.
    execute(
        transaction,
        "UPDATE approval_levels
             SET status = 'approved', decided_at = greatest(started_at, clock_timestamp()), remarks = $3
             WHERE request_id = $1 AND level_number = $2",
        &[&id, &number, &remarks],
    )
    .await?;
    log(transaction, id, "approved", Some(number), Some(approver)).await
}

/// Starts the next level that waits, or closes the request.
async fn advance(transaction: &Transaction<'_>, id: Uuid, number: i16) -> Result<(), ApiError> {
    let next = transaction
        .query_opt(
            "UPDATE approval_levels
             SET status = 'in_progress', started_at = clock_timestamp()
             WHERE request_id = $1 AND level_number =
                 (SELECT min(level_number) FROM approval_levels
                  WHERE request_id = $1 AND status = 'waiting' AND level_number > $2)
             RETURNING level_number",
            &[&id, &number],
        )
        .await?;
    if let Some(next) = next {
        return log(transaction, id, "level_started", next.try_get(0)?, None).await;
    }
    execute(
        transaction,
        "UPDATE workflow_requests
             SET status = 'approved', closed_at = greatest(submitted_at, clock_timestamp())
             WHERE id = $1",
        &[&id],
    )
    .await?;
    log(transaction, id, "closed", None, None).await
}

async fn log(
    transaction: &Transaction<'_>,
    id: Uuid,
    kind: &str,
    level: Option<i16>,
    actor: Option<&str>,
) -> Result<(), ApiError> {
    execute(
        transaction,
        "INSERT INTO activities (request_id, kind, level_number, actor, occurred_at)
             VALUES ($1, $2::text::activity_kind, $3, $4::text, clock_timestamp())",
        &[&id, &kind, &level, &actor],
    )
    .await?;
    Ok(())
}
