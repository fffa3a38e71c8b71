//! One call of `roll_back`.
//!
//! **Invariant:** nothing is undone before the undo of each migration is found.

use std::time::Instant;

use super::{Migrator, released, unknown_target};
use crate::applied::Applied;
use crate::database::{Link, Running};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Direction, Event};
use crate::execute::{Execution, Undo, UndoCode};
use crate::history::{Glance, StoredTexts};
use crate::plan::{self, Target};
use crate::registry::Code;
use crate::report::Report;
use crate::session::Session;
use crate::stale;
use crate::told::told;
use crate::trace::Trace;
use crate::watch::{Onlooker, Watch};

impl Migrator<'_> {
    pub(super) fn rolled_back<'r>(
        &'r self,
        database: Link<'r>,
        target: Target,
    ) -> Running<'r, Report> {
        let begun = Instant::now();
        let run = async move {
            stale::check(self.registry)?;
            let onlooker = database.onlooker();
            let (mut session, glance) = self.reach_writable(database).await?;
            let locked = self.roll_back_locked(&mut session, &glance, &target, begun, onlooker);
            let result = locked.await;
            released(session, result).await
        };
        Box::pin(told(&*self.observer, Direction::Down, run))
    }

    async fn roll_back_locked(
        &self,
        session: &mut Session<'_>,
        glance: &Glance,
        target: &Target,
        begun: Instant,
        onlooker: Onlooker,
    ) -> Result<Report> {
        let (mut history, state) =
            (glance.history.clone(), self.locked(session, glance, &onlooker).await?);
        let names =
            plan::undo(self.registry, &state.applied, target).map_err(|it| unknown_target(&it))?;
        if names.is_empty() {
            self.observer.on_event(&Event::NothingToUndo);
            return Ok(Report {
                n_total: state.n_finished(),
                duration: begun.elapsed(),
                ..Report::default()
            });
        }
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
        let n_pending = names.len();
        self.observer.on_event(&Event::Started { direction: Direction::Down, n_pending });
        let (observer, report) = (&*self.observer, Report::default());
        let mut execution = Execution {
            session,
            history,
            observer,
            report,
            n_left: n_pending,
            direction: Direction::Down,
            budget: self.budget,
            watch: Watch { onlooker, backend: state.backend },
            trace: Trace::new(glance, self.registry),
            wary: state.code,
        };
        execution.undo(&undos).await?;
        let is_left = |row: &&Applied| row.unfinished().is_none() && !names.contains(&row.name);
        let n_total = state.applied.iter().filter(is_left).count();
        Ok(self.finished(execution.report, Direction::Down, n_total, begun))
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
