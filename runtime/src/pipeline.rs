//! Transactional SQL, many migrations on the wire at once, each its own transaction.
//!
//! A failed migration stops its successors without being asked. If it fails before its `COMMIT`, the
//! session is in an aborted transaction, where every later `BEGIN`, text and row is refused (25P02).
//! If it fails *at* its `COMMIT`, as with a deferred constraint, the session is idle again; so each
//! successor first proves, inside its own transaction, that its predecessor's row is there.
//!
//! **Invariant:** a text is sent as it is, in a message of its own, so the positions the server
//! reports are positions in the file.

use std::collections::VecDeque;
use std::time::Duration;

use dunlin_core::Place;
use dunlin_core::lexer::lex;
use dunlin_core::statement::{self, TransactionControl, split};
use tokio_postgres::{Error as PostgresError, SimpleQueryRow};

use crate::applied::Kind;
use crate::error::{Error, ErrorKind, Result, cause};
use crate::event::{Blocker, Direction, Event};
use crate::execute::{Begun, Execution, row};
use crate::execute_failure::{lost, tried};
use crate::history::{arguments, measure};
use crate::invalid_index;
use crate::log::Outcome;
use crate::prepared;
use crate::quote::literal;
use crate::registry::Migration;
use crate::residue::Traces;
use crate::script::SqlText;
use crate::session::{Answers, Failure, text};

/// How many migrations may be on the wire. The answers to so many are small; what limits it is how
/// much a cancelled run may still do.
const MAX_IN_FLIGHT: usize = 64;
/// How many bytes of texts may be on the wire.
const MAX_BYTES: usize = 4 << 20;

/// An expression by which this transaction's commit does not wait for the disk.
const HURRY: &str = "pg_catalog.set_config('synchronous_commit', 'off', true)";

/// A transactional text and the row that goes with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'j> {
    pub(crate) name: &'j str,
    pub(crate) path: &'j str,
    pub(crate) text: &'j str,
    pub(crate) record: Record,
}

/// What is to be written in the history table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record {
    /// The row of a migration that was applied.
    Insert(&'static Migration),
    /// The same, in the place of a row that an attempt without a transaction has left.
    Replace(&'static Migration),
    /// No row any more.
    Delete,
}

/// A job on the wire.
struct Flight<'j> {
    job: Job<'j>,
    sql: SqlText<'j>,
    n_bytes: usize,
    /// Whether it may make something that lives as long as the session.
    keeps: bool,
    answers: FlightAnswers,
}

/// The answers to its three or four messages.
struct FlightAnswers {
    begin: Answers,
    body: Answers,
    /// Only if the text may have changed settings.
    settings: Option<Answers>,
    record: Answers,
}

/// What comes behind a job.
#[derive(Clone, Copy, Debug)]
struct Follow {
    /// Whether nothing does in this run.
    is_last: bool,
    /// How many jobs do.
    n_jobs: usize,
}

/// What the answers of a finished job say.
struct Landed {
    /// The relations that existed before.
    existing: Vec<String>,
    /// The settings that have got their values back.
    given_back: Vec<SimpleQueryRow>,
    /// How long its transaction took.
    duration: Option<Duration>,
}

/// What stopped a job.
struct Stopped {
    /// For a failure in the text, how many of its statements had been completed.
    body: Option<usize>,
    error: PostgresError,
    /// For a failure in the last batch, whether it came at `COMMIT`, behind the row.
    at_commit: Option<bool>,
}

impl Execution<'_, '_> {
    /// Runs jobs in order; stops at the first that fails.
    pub(crate) async fn pipeline(&mut self, jobs: &[Job<'_>]) -> Result<()> {
        let mut in_flight = VecDeque::new();
        let (mut n_bytes, mut next, mut n_done) = (0, 0, 0);
        let (mut tries, mut is_begun) = (self.budget.tries(), false);
        // The last commit of a run waits for the disk and makes those before it durable as well.
        let n_left = self.n_left;
        while n_done < jobs.len() {
            while next < jobs.len() && in_flight.len() < MAX_IN_FLIGHT && n_bytes < MAX_BYTES {
                // In front of `SET TRANSACTION` there may be no question, so there is no proof.
                if !in_flight.is_empty() && sets_transaction(jobs[next].text) {
                    break;
                }
                // What a text has made for the length of the session is removed before the next one.
                if in_flight.back().is_some_and(|flight: &Flight<'_>| flight.keeps) {
                    break;
                }
                let predecessor = (next > n_done).then(|| jobs[next - 1].name);
                let follow = Follow { is_last: next + 1 == n_left, n_jobs: jobs.len() - next - 1 };
                let flight = self.take_off(jobs[next], predecessor, follow).await?;
                n_bytes += flight.n_bytes;
                in_flight.push_back(flight);
                next += 1;
            }
            let Some(flight) = in_flight.pop_front() else { break };
            n_bytes -= flight.n_bytes;
            let (name, sql) = (flight.job.name, flight.sql);
            // A migration that is tried again has been announced.
            let begun = match is_begun {
                false => self.begin(name, Some(&sql), 0),
                true => Begun::now(Some(&sql)),
            };
            is_begun = true;
            match self.watched(name, None, flight.answers.land()).await {
                Ok(landed) => {
                    if in_flight.is_empty() {
                        self.session.ended_transaction();
                    }
                    self.tell_summary(name, &sql, &landed.existing);
                    self.tell_given_back(name, &sql, &landed.given_back);
                    let tidied = if flight.keeps { self.tidy(name).await } else { Ok(()) };
                    self.end(name, begun, Ok(landed.duration)).await?;
                    tidied?;
                    n_done += 1;
                    (tries, is_begun) = (self.budget.tries(), false);
                }
                Err(stopped) => {
                    // Everything behind it has failed with it, perhaps what was to be prepared as well.
                    self.session.statements().forget();
                    in_flight.clear();
                    (n_bytes, next) = (0, n_done);
                    if invalid_index::is_in_the_way(&stopped.error) {
                        self.session.roll_back().await.map_err(|error| lost(name, error))?;
                        if let Err(error) = self.clear_all(name, &sql).await {
                            let place = Place::file(sql.path);
                            let error = self.failed(name, place, error).await;
                            return self.end(name, begun, Err(error)).await;
                        }
                        continue;
                    }
                    let Some(pause) = tries.pause_after(&stopped.error) else {
                        let error = self.stopped(name, &sql, stopped, tries.n_failed).await;
                        return self.end(name, begun, Err(error)).await;
                    };
                    self.session.roll_back().await.map_err(|error| lost(name, error))?;
                    let reason = cause(&stopped.error);
                    self.pause(name, &sql, &reason, tries.n_failed, pause).await?;
                }
            }
        }
        // What comes next may be code that removes them.
        self.session.statements().forget();
        Ok(())
    }

    /// Puts a job on the wire: three or four messages, no waiting.
    async fn take_off<'j>(
        &mut self,
        job: Job<'j>,
        predecessor: Option<&str>,
        follow: Follow,
    ) -> Result<Flight<'j>> {
        let lost = |error| lost(job.name, error);
        let sql = SqlText::new(job.path, job.text);
        let traces = sql.residue.now.or(self.wary);
        self.wary = self.wary.or(sql.residue.later);
        // All but the last commit need not wait for the disk. Said where no text can take it back.
        let hurry = if follow.is_last { None } else { Some(HURRY) };
        let begin = self.beginning(&sql, predecessor, hurry.filter(|_| !traces.settings));
        // Behind the question whether this session has the lock: in another one it would stay.
        let begin = format!("{begin}{}", self.prepare(&sql, job.record, traces, follow));
        let record = format!("{}; COMMIT", self.recording(&job));
        self.session.begins_transaction();
        let answers = FlightAnswers {
            begin: self.session.send(&begin).await.map_err(lost)?,
            body: self.session.send(job.text).await.map_err(lost)?,
            settings: if traces.settings {
                let hurry = hurry.map(|it| format!("; SELECT {it}")).unwrap_or_default();
                let working = format!("{}{hurry}", self.session.working());
                Some(self.session.send(&working).await.map_err(lost)?)
            } else {
                None
            },
            record: self.session.send(&record).await.map_err(lost)?,
        };
        let n_bytes = begin.len() + job.text.len() + record.len();
        Ok(Flight { job, sql, n_bytes, keeps: traces.belongings, answers })
    }

    /// Has what surrounds a text prepared, if that is worth it, or forgets it where the text may remove it.
    /// Gives the statements that prepare it, each with the semicolon in front of it.
    fn prepare(
        &mut self,
        sql: &SqlText<'_>,
        record: Record,
        traces: Traces,
        follow: Follow,
    ) -> String {
        let (history, guard) = (self.history, self.session.guard());
        let statements = self.session.statements();
        if traces.settings {
            statements.forget();
        }
        let is_plain = matches!(record, Record::Insert(_)) && !traces.settings;
        // In front of `SET TRANSACTION` nothing may be asked, and so nothing is sure.
        let is_worth_it = follow.n_jobs >= prepared::WORTH_IT && !sets_transaction(sql.text);
        let Some(guard) = guard.filter(|_| is_plain && is_worth_it && !statements.are_there())
        else {
            return String::new();
        };
        statements.prepare();
        let proof = history.proof_of("$1", Direction::Up);
        let record = history.measured(&history.insert_of_parameters(), Direction::Up);
        format!(
            "; PREPARE {} AS SELECT {guard}, {proof}, {HURRY}; PREPARE {} AS {record}",
            statements.begin(),
            statements.record()
        )
    }

    /// The statement behind a text.
    fn recording(&mut self, job: &Job<'_>) -> String {
        let statements = self.session.statements();
        let row = match job.record {
            Record::Insert(migration) if statements.are_there() => {
                let arguments = arguments(&row(migration, Kind::Sql));
                return format!("EXECUTE {}({arguments})", statements.record());
            }
            Record::Insert(migration) => self.history.insert(&row(migration, Kind::Sql)),
            Record::Replace(migration) => self.history.replace(&row(migration, Kind::Sql)),
            Record::Delete => self.history.undone(job.name, None),
        };
        self.history.measured(&row, self.direction)
    }

    /// The message in front of a text: its transaction, the proof, and what else must be asked or set
    /// before.
    fn beginning(
        &mut self,
        sql: &SqlText<'_>,
        predecessor: Option<&str>,
        hurry: Option<&str>,
    ) -> String {
        // For a text that does nothing but validate, nobody waits.
        let is_patient =
            !sql.statements.is_empty() && sql.statements.iter().all(|it| sql.validates(it));
        let patient = is_patient.then_some(self.budget.patient_timeout);
        let begin = match sql.directives.lock_timeout.or(patient) {
            Some(timeout) => {
                format!("BEGIN; SET LOCAL lock_timeout TO {}", timeout.as_millis())
            }
            None => "BEGIN".to_owned(),
        };
        if sets_transaction(sql.text) {
            return begin;
        }
        let proof = predecessor.map(|name| self.history.proof(name, self.direction));
        let guard = self.session.guard();
        let guard = guard.as_deref();
        let no_index = invalid_index::guard(sql);
        let is_usual = guard.is_some() && no_index.is_none() && hurry.is_some();
        let columns: Vec<_> = guard
            .into_iter()
            .chain(proof.as_deref())
            .chain(no_index.as_deref())
            .chain(hurry)
            .collect();
        let statements = self.session.statements();
        let first = match (columns.as_slice(), predecessor) {
            ([], _) => String::new(),
            // The lock, the proof and the setting, as they were prepared.
            (_, Some(name)) if is_usual && statements.are_there() => {
                format!("; EXECUTE {}({})", statements.begin(), literal(name))
            }
            (columns, _) => format!("; SELECT {}", columns.join(", ")),
        };
        format!("{begin}{first}{}", question_about_existing(sql))
    }

    /// Announces the next try, with who is in the way, and waits for it.
    pub(crate) async fn pause(
        &self,
        name: &str,
        sql: &SqlText<'_>,
        reason: &str,
        n_failed: u32,
        pause: Duration,
    ) -> Result<()> {
        let blockers = self.blockers(sql).await.map_err(|error| lost(name, error))?;
        let _logged = self.log(Outcome::Retried, name, None, reason).await;
        self.tell(&Event::Retrying { name, reason, n_failed, pause, blockers: &blockers });
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Who holds locks on the tables a text changes. Asked on our own connection, behind the failure;
    /// whoever was in the way usually still is.
    async fn blockers(&self, sql: &SqlText<'_>) -> Result<Vec<Blocker>, PostgresError> {
        let tables = sql.touched_relations();
        if tables.is_empty() {
            return Ok(Vec::new());
        }
        let tables =
            tables.iter().map(|name| format!("({})", literal(name))).collect::<Vec<_>>().join(", ");
        let rows = self
            .session
            .rows(&format!(
                "SELECT DISTINCT a.pid, a.application_name, it.relation, l.mode, a.state, \
                 (extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start))::pg_catalog.int8 AS seconds, \
                 pg_catalog.left(pg_catalog.btrim(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g')), 80) AS query \
                 FROM (VALUES {tables}) AS it (relation) \
                 JOIN pg_catalog.pg_locks l ON l.relation IN ({NAMED}) AND l.granted \
                 JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid AND a.pid <> pg_catalog.pg_backend_pid() \
                 ORDER BY a.pid LIMIT 8"
            ))
            .await?;
        Ok(rows.iter().map(Blocker::from_row).collect())
    }

    async fn stopped(
        &mut self,
        name: &str,
        sql: &SqlText<'_>,
        stopped: Stopped,
        n_failed: u32,
    ) -> Error {
        let Stopped { body, error, at_commit } = stopped;
        let place = match (body, error.as_db_error()) {
            (Some(n_completed), Some(db)) => sql.place_in_batch(n_completed, db),
            _ => Place::file(sql.path),
        };
        let made = match at_commit {
            Some(at_commit) => self.unrecorded(name, place, at_commit, error).await,
            None => self.failed_on_the_way(name, place, error).await,
        };
        // Of a connection that is gone, nothing else will be said.
        let made = match made.kind() {
            ErrorKind::Connection => self.durable(name, made).await,
            _ => made,
        };
        tried(made, n_failed)
    }
}

impl FlightAnswers {
    /// Waits for the answers.
    async fn land(self) -> Result<Landed, Stopped> {
        let stopped = |error| Stopped { body: None, error, at_commit: None };
        let in_text =
            |it: Failure| Stopped { body: Some(it.n_completed), error: it.error, at_commit: None };
        // The row is the first statement of its message, `COMMIT` the second.
        let in_record = |it: Failure| Stopped {
            body: None,
            error: it.error,
            at_commit: Some(it.n_completed > 0),
        };
        let rows = self.begin.rows().await.map_err(stopped)?;
        let _n_statements = self.body.finish().await.map_err(in_text)?;
        let given_back = match self.settings {
            Some(settings) => settings.rows().await.map_err(stopped)?,
            None => Vec::new(),
        };
        let recorded = self.record.finish_with_rows().await.map_err(in_record)?;
        let (existing, duration) = (existing_relations(&rows), measure(&recorded));
        Ok(Landed { existing, given_back, duration })
    }
}

/// A statement, with the `;` before it, that asks which of the tables a text creates only if they do
/// not exist do exist; empty for a text that creates none in this way.
pub(crate) fn question_about_existing(sql: &SqlText<'_>) -> String {
    let names = sql.conditional_relations();
    if names.is_empty() || sets_transaction(sql.text) {
        return String::new();
    }
    let names =
        names.iter().map(|name| format!("({})", literal(name))).collect::<Vec<_>>().join(", ");
    format!("; SELECT it.relation FROM (VALUES {names}) AS it (relation) WHERE EXISTS ({NAMED})")
}

/// The relation that `it.relation` names. Unlike `to_regclass` it is no error to name a schema that
/// the role has no right to: a migration may take another role first.
pub(crate) const NAMED: &str = "SELECT c.oid FROM pg_catalog.pg_class c \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, \
    LATERAL (SELECT pg_catalog.parse_ident(it.relation) AS part) AS name \
    WHERE c.relname = part[pg_catalog.array_upper(part, 1)] \
    AND CASE pg_catalog.array_upper(part, 1) WHEN 1 THEN pg_catalog.pg_table_is_visible(c.oid) \
    ELSE n.nspname = part[1] END";

/// Whether a text has a `SET TRANSACTION`, which must come before any query of its transaction.
pub(crate) fn sets_transaction(text: &str) -> bool {
    let is_likely = text.as_bytes().windows(11).any(|it| it.eq_ignore_ascii_case(b"transaction"));
    is_likely
        && split(text, &lex(text))
            .iter()
            .any(|it| it.kind == statement::Kind::Transaction(TransactionControl::SetTransaction))
}

/// The answer to it.
pub(crate) fn existing_relations(rows: &[SimpleQueryRow]) -> Vec<String> {
    rows.iter().filter_map(|row| text(row, "relation").map(str::to_owned)).collect()
}
