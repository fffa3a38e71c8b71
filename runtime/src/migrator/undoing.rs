//! One call of `roll_back`.
//!
//! **Invariant:** nothing is undone before the undo of each migration is found. What is to be undone is
//! decided once: on a second connection so many migrations back would be others.

use super::{Migrator, released, unknown_target};
use crate::applied::Applied;
use crate::database::{Link, Running};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Direction, Event};
use crate::execute::{Execution, Undo, UndoCode};
use crate::history::{Glance, StoredTexts};
use crate::plan::{self, Target};
use crate::registry::Code;
use crate::report::{Done, Report};
use crate::script::SqlText;
use crate::session::Session;
use crate::stale;
use crate::told::told;
use crate::trace::Trace;
use crate::watch::Watch;

type Run = super::reconnecting::Run<Option<Planned>>;

/// What is to be undone.
#[derive(Clone, Debug)]
struct Planned {
    /// Newest first.
    names: Vec<String>,
    newest_to_stay: Option<String>,
}

impl Run {
    /// An error whose advice to undo again means what is left, where it was asked for by number and some
    /// of it is done, or may be.
    fn in_its_bounds(&self, error: Error, target: &Target) -> Error {
        let is_open = error.kind() == ErrorKind::Connection || !self.report.done.is_empty();
        let Some(Planned { newest_to_stay: Some(name), .. }) = &self.planned else { return error };
        if !matches!(target, Target::Back(_)) || !is_open {
            return error;
        }
        // To start again is what is advised where a connection broke.
        let is_lost = error.kind() == ErrorKind::Connection;
        let error = if is_lost { error.without_help() } else { error };
        error.help(format!(
            "undo the rest by name, because so many back are others by now: `Migrator::roll_back(.., \"{name}\")`"
        ))
    }
}

impl Migrator<'_> {
    pub(super) fn rolled_back<'r>(
        &'r self,
        database: Link<'r>,
        target: Target,
    ) -> Running<'r, Report> {
        let run = self.roll_back_over(database, target);
        Box::pin(told(&*self.observer, Direction::Down, run))
    }

    /// Undoes over as many connections as it takes.
    async fn roll_back_over(&self, mut database: Link<'_>, target: Target) -> Result<Report> {
        stale::check(self.registry)?;
        let mut run = Run::new(database.onlooker(), self.primary_wait);
        loop {
            let again = database.again();
            let error = match self.roll_back_once(database, &target, &mut run).await {
                Ok(report) => return Ok(report),
                Err(error) => error,
            };
            let next = run.after(error, again, &*self.observer).await;
            database = next.map_err(|error| run.in_its_bounds(error, &target))?;
        }
    }

    async fn roll_back_once(
        &self,
        database: Link<'_>,
        target: &Target,
        run: &mut Run,
    ) -> Result<Report> {
        let reached = self.reach_writable_within(database, &mut run.waiting).await;
        let (mut session, glance) = reached?;
        let result = self.roll_back_locked(&mut session, &glance, target, run).await;
        released(session, result).await
    }

    async fn roll_back_locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        target: &Target,
        run: &mut Run,
    ) -> Result<Report> {
        let (mut history, state) =
            (glance.history.clone(), self.locked(session, glance, &run.onlooker).await?);
        let is_resumed = run.planned.is_some();
        let planned = match &run.planned {
            Some(planned) => planned.clone(),
            None => {
                let names = plan::undo(self.registry, &state.applied, target)
                    .map_err(|it| unknown_target(&it))?;
                let order = self.registry.layout;
                let stays = state.applied.iter().map(|row| &row.name);
                let stays = stays.filter(|name| !names.contains(name));
                let newest = stays.max_by(|one, other| order.compare_names(one, other));
                Planned { newest_to_stay: newest.cloned(), names }
            }
        };
        if planned.names.is_empty() {
            self.observer.on_event(&Event::NothingToUndo);
            return Ok(Report {
                n_total: state.n_finished(),
                duration: run.begun.elapsed(),
                ..Report::default()
            });
        }
        let is_there = |name: &&String| state.applied.iter().any(|row| row.name == **name);
        let (names, gone): (Vec<String>, Vec<String>) =
            planned.names.iter().cloned().partition(|name| is_there(&name));
        self.settle_undone(run, &gone);
        let is_left = |row: &&Applied| row.unfinished().is_none() && !names.contains(&row.name);
        let n_total = state.applied.iter().filter(is_left).count();
        let unknown: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| self.registry.get(name).is_none())
            .collect();
        self.announce_moved(glance, &state);
        let _created = self.create(session, &mut history, &state).await?;
        let history = &history;
        let stored = history.texts(session, &unknown).await?;
        let undos = self.undos(&names, &stored)?;
        run.planned = Some(planned);
        let n_left = names.len();
        if !is_resumed {
            self.tell(&Event::Started { direction: Direction::Down, n_pending: n_left });
        }
        let mut execution = Execution {
            session,
            history,
            observer: &*self.observer,
            report: run.report.clone(),
            n_left,
            direction: Direction::Down,
            budget: self.budget,
            watch: Watch { onlooker: run.onlooker.clone(), backend: state.backend },
            trace: Trace::new(glance, self.registry),
            wary: state.code,
        };
        execution.undo(&undos).await?;
        Ok(self.finished(execution.report, Direction::Down, n_total, run.begun))
    }

    /// Counts as undone what a broken connection had left open and the server has committed.
    fn settle_undone(&self, run: &mut Run, gone: &[String]) {
        for name in gone {
            if run.report.done.iter().any(|done| done.name == *name) {
                continue;
            }
            let n_statements = match self.undo_of(name, &[]) {
                Some(UndoCode::Sql { path, text, .. }) => {
                    Some(SqlText::new(&path, text).statements.len())
                }
                Some(UndoCode::Rust { .. }) | None => None,
            };
            let (direction, duration) = (Direction::Down, run.begun.elapsed());
            run.report.done.push(Done { name: name.clone(), n_statements, duration });
            self.tell(&Event::MigrationFinished { name, direction, n_statements, duration });
        }
    }

    /// The undo of each, or an error that names all that have none.
    fn undos<'n>(&self, names: &'n [String], stored: &'n [StoredTexts]) -> Result<Vec<Undo<'n>>> {
        let found: Vec<_> = names.iter().map(|name| (name, self.undo_of(name, stored))).collect();
        let (known, unknown): (Vec<&str>, Vec<&str>) = found
            .iter()
            .filter(|(_, how)| how.is_none())
            .map(|(name, _)| name.as_str())
            .partition(|name| self.registry.get(name).is_some());
        if !known.is_empty() || !unknown.is_empty() {
            return Err(no_undo(&known, &unknown));
        }
        Ok(found.into_iter().filter_map(|(name, how)| Some(Undo { name, how: how? })).collect())
    }

    fn undo_of<'n>(&self, name: &str, stored: &'n [StoredTexts]) -> Option<UndoCode<'n>> {
        if let Some(migration) = self.registry.get(name) {
            let down = migration.down?;
            return Some(match down.code {
                Code::Rust(run) => UndoCode::Rust { path: down.path, text: down.text, run },
                Code::Sql { transactional } => {
                    UndoCode::Sql { path: down.path.to_owned(), text: down.run_text, transactional }
                }
            });
        }
        let text = stored.iter().find(|texts| texts.name == name)?.down.as_deref()?;
        let path = format!("{name}.down.sql (stored in the history table)");
        Some(UndoCode::Sql {
            transactional: dunlin_core::directive::is_transactional(text),
            path,
            text,
        })
    }
}

/// `known` are in this build; of the others only the history table could have an undo.
fn no_undo(known: &[&str], unknown: &[&str]) -> Error {
    let named = |names: &[&str]| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    let all = [unknown, known].concat();
    let error = Error::new(ErrorKind::NoUndo, format!("no undo for {}", named(&all)))
        .note("nothing was changed");
    let error = match unknown {
        [] => error,
        unknown => error
            .note(format!(
                "not in this build, and stored without an undo in SQL: {}",
                named(unknown)
            ))
            .help("undo what this build does not know with the build that has it"),
    };
    match known {
        [] => error,
        _ => error.help(
            "add a `.down.sql` beside each migration, or write a new migration that reverts it",
        ),
    }
}
