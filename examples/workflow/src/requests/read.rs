//! Lists of requests, and one request with its levels.

use deadpool_postgres::GenericClient;
use serde::{Deserialize, Serialize};
use tokio_postgres::{Error, Row};
use uuid::Uuid;

use super::{Activity, Level, Request, RequestDetail, RequestStatus};
use crate::error::ApiError;

/// More than a screen shows, and little enough to answer at once.
const LARGEST_PAGE: i64 = 100;
const USUAL_PAGE: i64 = 20;

const SELECT_REQUEST: &str = "
    SELECT request.id, request.request_number, request.title, request.description,
           request.initiator, request.department, request.priority, request.status,
           current.level_number AS current_level,
           request.created_at, request.submitted_at, request.closed_at
    FROM workflow_requests AS request
    LEFT JOIN approval_levels AS current
        ON current.request_id = request.id AND current.status = 'in_progress'";

const SELECT_LEVELS: &str = "
    SELECT level.level_number, level.level_name, level.approver, level.tat_hours, level.status,
           level.started_at, level.decided_at, level.remarks,
           tat_due_at(request.priority, level.started_at, level.tat_hours) AS due_at
    FROM approval_levels AS level
    JOIN workflow_requests AS request ON request.id = level.request_id
    WHERE level.request_id = $1
    ORDER BY level.level_number";

const SELECT_ACTIVITIES: &str = "
    SELECT kind::text, level_number, actor, occurred_at
    FROM activities
    WHERE request_id = $1
    ORDER BY occurred_at, id";

/// Which requests a list is to hold: `?status=pending&limit=20&before=120`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Only those of this status.
    pub status: Option<RequestStatus>,
    /// How many: 20 unless said, from 1 to 100.
    pub limit: Option<i64>,
    /// Only those with a smaller number: the `next_before` of the page before.
    pub before: Option<i64>,
}

/// A part of the list, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    /// The requests.
    pub requests: Vec<Request>,
    /// The `before` of the next page; none when this is the last.
    pub next_before: Option<i64>,
}

/// A page of the list of requests.
///
/// Pages go by number and not by offset: a request that arrives meanwhile neither repeats nor hides
/// another, and the hundredth page costs what the first does.
///
/// # Errors
///
/// When `limit` is out of its range, and those of the database.
pub async fn list(client: &impl GenericClient, query: &PageQuery) -> Result<Page, ApiError> {
    let limit = query.limit.unwrap_or(USUAL_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(ApiError::Unprocessable(vec![format!(
            "`limit` is not from 1 to {LARGEST_PAGE}"
        )]));
    }
    let before = query.before.unwrap_or(i64::MAX);
    // One more than asked for tells whether there is a next page.
    let n_wanted = limit + 1;
    let newest_first = "ORDER BY request.request_number DESC LIMIT $2";
    let rows = match &query.status {
        Some(status) => {
            let sql = format!(
                "{SELECT_REQUEST} WHERE request.request_number < $1 AND request.status = $3 {newest_first}"
            );
            client.query(&sql, &[&before, &n_wanted, status]).await?
        }
        None => {
            let sql = format!("{SELECT_REQUEST} WHERE request.request_number < $1 {newest_first}");
            client.query(&sql, &[&before, &n_wanted]).await?
        }
    };
    let mut requests = rows.iter().map(request).collect::<Result<Vec<_>, _>>()?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = requests.len() > shown;
    requests.truncate(shown);
    let next_before = requests.last().filter(|_| more).map(|last| last.request_number);
    Ok(Page { requests, next_before })
}

/// One request with its levels and history, or none.
///
/// # Errors
///
/// Those of the database.
pub async fn show(client: &impl GenericClient, id: Uuid) -> Result<Option<RequestDetail>, Error> {
    let sql = format!("{SELECT_REQUEST} WHERE request.id = $1");
    let Some(row) = client.query_opt(&sql, &[&id]).await? else { return Ok(None) };
    let levels = client.query(SELECT_LEVELS, &[&id]).await?;
    let activities = client.query(SELECT_ACTIVITIES, &[&id]).await?;
    Ok(Some(RequestDetail {
        request: request(&row)?,
        levels: levels.iter().map(level).collect::<Result<_, _>>()?,
        activities: activities.iter().map(activity).collect::<Result<_, _>>()?,
    }))
}

fn request(row: &Row) -> Result<Request, Error> {
    Ok(Request {
        id: row.try_get("id")?,
        request_number: row.try_get("request_number")?,
        title: row.try_get("title")?,
        description: row.try_get("description")?,
        initiator: row.try_get("initiator")?,
        department: row.try_get("department")?,
        priority: row.try_get("priority")?,
        status: row.try_get("status")?,
        current_level: row.try_get("current_level")?,
        created_at: row.try_get("created_at")?,
        submitted_at: row.try_get("submitted_at")?,
        closed_at: row.try_get("closed_at")?,
    })
}

fn level(row: &Row) -> Result<Level, Error> {
    Ok(Level {
        level_number: row.try_get("level_number")?,
        name: row.try_get("level_name")?,
        approver: row.try_get("approver")?,
        tat_hours: row.try_get("tat_hours")?,
        status: row.try_get("status")?,
        started_at: row.try_get("started_at")?,
        due_at: row.try_get("due_at")?,
        decided_at: row.try_get("decided_at")?,
        remarks: row.try_get("remarks")?,
    })
}

fn activity(row: &Row) -> Result<Activity, Error> {
    Ok(Activity {
        kind: row.try_get("kind")?,
        level_number: row.try_get("level_number")?,
        actor: row.try_get("actor")?,
        occurred_at: row.try_get("occurred_at")?,
    })
}
