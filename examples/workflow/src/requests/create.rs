//! A new request: checked as a whole, then stored as a whole.

use deadpool_postgres::Client;
use serde::Deserialize;
use uuid::Uuid;

use super::{Priority, RequestDetail, execute, show};
use crate::error::ApiError;

const LONGEST_TITLE: usize = 200;
const MOST_LEVELS: usize = 20;
const TAT_HOURS: std::ops::RangeInclusive<i32> = 1..=2000;

/// What somebody asks for. It is submitted as it is made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// What is asked for.
    pub title: String,
    /// What is to be said about it.
    #[serde(default)]
    pub description: String,
    /// Who asks.
    pub initiator: String,
    /// For which department.
    #[serde(default)]
    pub department: Option<String>,
    /// How turnaround time is counted.
    #[serde(default)]
    pub priority: Priority,
    /// Who is to approve it, in order.
    pub levels: Vec<NewLevel>,
}

/// A level of a new request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewLevel {
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// Who decides.
    pub approver: String,
    /// Hours to decide in.
    pub tat_hours: i32,
}

impl NewRequest {
    /// One spelling for each person: addresses are stored in lower case.
    fn normalised(mut self) -> Self {
        self.title = self.title.trim().to_owned();
        self.initiator = address(&self.initiator);
        self.department =
            self.department.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        for level in &mut self.levels {
            level.approver = address(&level.approver);
        }
        self
    }

    /// Everything that is wrong with it, since one who fills in a form wants to hear it at once.
    ///
    /// The tables have the same rules as constraints; these say them in words.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.title.is_empty() {
            problems.push("`title` is empty".to_owned());
        }
        if self.title.chars().count() > LONGEST_TITLE {
            problems.push(format!("`title` is longer than {LONGEST_TITLE} characters"));
        }
        if !is_address(&self.initiator) {
            problems.push("`initiator` is not an e-mail address".to_owned());
        }
        if self.levels.is_empty() {
            problems.push("`levels` is empty: somebody has to approve".to_owned());
        }
        if self.levels.len() > MOST_LEVELS {
            problems.push(format!("`levels` has more than {MOST_LEVELS} entries"));
        }
        for (index, level) in self.levels.iter().enumerate() {
            if !is_address(&level.approver) {
                problems.push(format!("`levels[{index}].approver` is not an e-mail address"));
            }
            if !TAT_HOURS.contains(&level.tat_hours) {
                let (least, most) = (TAT_HOURS.start(), TAT_HOURS.end());
                problems.push(format!("`levels[{index}].tat_hours` is not from {least} to {most}"));
            }
        }
        problems
    }
}

/// Stores a request with its levels and participants, and starts its first level.
///
/// # Errors
///
/// When the request breaks a rule, and those of the database. Then nothing is stored.
///
/// # Cancellation
///
/// Nothing is stored, unless the future is dropped after COMMIT was sent.
pub async fn create(client: &mut Client, new: NewRequest) -> Result<RequestDetail, ApiError> {
    let new = new.normalised();
    let problems = new.problems();
    if !problems.is_empty() {
        return Err(ApiError::Unprocessable(problems));
    }

    let transaction = client.transaction().await?;
    let id: Uuid = transaction
        .query_one(
            "INSERT INTO workflow_requests
                 (title, description, initiator, department, priority, status, submitted_at)
             VALUES ($1, $2, $3::text, $4, $5, 'pending', CURRENT_TIMESTAMP)
             RETURNING id",
            &[&new.title, &new.description, &new.initiator, &new.department, &new.priority],
        )
        .await?
        .try_get(0)?;
    let column = |text: fn(&NewLevel) -> &str| new.levels.iter().map(text).collect::<Vec<_>>();
    let (names, approvers) = (column(|level| &level.name), column(|level| &level.approver));
    let hours: Vec<i32> = new.levels.iter().map(|level| level.tat_hours).collect();
    execute(
        &transaction,
        "INSERT INTO approval_levels
                 (request_id, level_number, level_name, approver, tat_hours, status, started_at)
             SELECT $1, number, name, approver, hours,
                    CASE number WHEN 1 THEN 'in_progress'::level_status ELSE 'waiting' END,
                    CASE number WHEN 1 THEN CURRENT_TIMESTAMP END
             FROM unnest($2::text[], $3::text[], $4::integer[])
                  WITH ORDINALITY AS level (name, approver, hours, number)",
        &[&id, &names, &approvers, &hours],
    )
    .await?;
    execute(
        &transaction,
        "INSERT INTO participants (request_id, person, role, added_by)
             SELECT $1::uuid, $2::text, 'initiator'::participant_role, $2::text
             UNION
             SELECT $1::uuid, approver, 'approver', $2::text FROM unnest($3::text[]) AS approver",
        &[&id, &new.initiator, &approvers],
    )
    .await?;
    execute(
        &transaction,
        "INSERT INTO activities (request_id, kind, level_number, actor)
             VALUES ($1, 'created', NULL, $2::text),
                    ($1, 'submitted', NULL, $2::text),
                    ($1, 'level_started', 1, NULL)",
        &[&id, &new.initiator],
    )
    .await?;
    let detail = show(&transaction, id).await?;
    transaction.commit().await?;
    detail.ok_or_else(|| ApiError::Internal(format!("request {id} vanished while it was made")))
}

/// The spelling under which a person is stored.
pub(super) fn address(text: &str) -> String {
    text.trim().to_lowercase()
}

fn is_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('@').collect();
    parts.len() == 2
        && parts.iter().all(|part| !part.is_empty() && !part.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_named_at_once() {
        let level = NewLevel { name: String::new(), approver: "nobody".to_owned(), tat_hours: 0 };
        let new = NewRequest {
            title: "  ".to_owned(),
            description: String::new(),
            initiator: "a@b@c".to_owned(),
            department: None,
            priority: Priority::Standard,
            levels: vec![level],
        };
        let expected = [
            "`title` is empty",
            "`initiator` is not an e-mail address",
            "`levels[0].approver` is not an e-mail address",
            "`levels[0].tat_hours` is not from 1 to 2000",
        ];
        assert_eq!(new.normalised().problems(), expected);
    }

    #[test]
    fn an_address_is_two_parts_without_blanks() {
        for (text, good) in [
            ("a@b", true),
            ("@b", false),
            ("a@", false),
            ("a b@c", false),
            ("a@b@c", false),
            ("", false),
        ] {
            assert_eq!(is_address(text), good, "{text}");
        }
        assert_eq!(address(" Ana@Example.org\n"), "ana@example.org");
    }
}
