//! `check --server`: the migrations on a private PostgreSQL, or in a scratch database of another one; both
//! are gone afterwards.

mod given;
#[cfg(unix)]
mod private;

use std::sync::Arc;

use deadpool_postgres::Pool;
use dunlin::scratch::{self, Refusal};
use dunlin::{Migration, Migrator, Registry, Target};
use dunlin_core::diagnostic::Place;
use dunlin_core::folder::{Language, Script};
use dunlin_core::{Diagnostic, Folder, Rule, SourceFile};
use serde::Serialize;

use super::database::{Door, Leaves, block_on};
use crate::answer::{Failure, Finding};
use crate::args::Secret;
use crate::exit::Exit;
use crate::screen::Screen;

/// What is tried.
#[derive(Debug)]
pub(super) struct Rehearsal {
    pub(super) registry: &'static Registry,
    pub(super) door: Door,
    /// The texts whose statements the server's parser reads.
    pub(super) texts: Vec<Arc<SourceFile>>,
}

/// What was done on the server.
#[derive(Debug, Serialize)]
pub(super) struct Tried {
    /// The server's version.
    version: String,
    /// How many migrations were applied, twice if they could be undone.
    applied: usize,
    /// How many of them were undone.
    undone: usize,
    /// The first migration in Rust, which is not compiled here.
    ends_before: Option<String>,
}

/// What came of it: what was done, or what is wrong with the migrations.
pub(super) type Trial = Result<Tried, Vec<Finding>>;

impl Tried {
    /// What a person reads.
    pub(super) fn told(&self) -> String {
        let Self { version, applied, undone, ends_before } = self;
        let end = ends_before.as_deref();
        let end =
            end.map_or_else(String::new, |it| format!("; `{it}` is in Rust and was not tried"));
        format!(
            "on PostgreSQL {version}: {applied} applied, {undone} undone and applied again{end}\n"
        )
    }
}

/// Has every statement parsed, applies, undoes and applies again. What goes wrong on the way is a finding
/// about the migrations; what keeps it from beginning is a failure.
pub(super) fn tried(
    screen: &Screen,
    server: Option<&Secret>,
    rehearsal: &Rehearsal,
) -> Result<Trial, Box<Failure>> {
    match server {
        Some(server) => given::tried(server, rehearsal),
        None => on_private(screen, rehearsal),
    }
}

#[cfg(unix)]
fn on_private(screen: &Screen, rehearsal: &Rehearsal) -> Result<Trial, Box<Failure>> {
    private::tried(screen, rehearsal)
}

#[cfg(not(unix))]
fn on_private(_screen: &Screen, _rehearsal: &Rehearsal) -> Result<Trial, Box<Failure>> {
    Failure::usage("there is no private PostgreSQL on this system")
        .help("--server <URL> names another server")
        .into()
}

/// The texts of a folder, with those of the undos.
pub(super) fn texts(folder: &Folder) -> Vec<Arc<SourceFile>> {
    let scripts = folder.migrations().iter().flat_map(|it| std::iter::once(&it.up).chain(&it.down));
    let is_sql = |it: &&Script| matches!(it.language, Language::Sql { .. });
    // What is left out of what runs is blank there, and stands where the file has it.
    let run = |it: &Script| Arc::new(SourceFile::new(it.file.path(), it.text_to_run()));
    scripts.filter(is_sql).map(run).collect()
}

impl Rehearsal {
    /// On a database that is empty and of its own.
    fn on(&self, pool: &Pool, version: &str) -> Result<Trial, Box<Failure>> {
        block_on(Leaves::Nothing, async {
            let refused = self.refused(pool, version).await?;
            if !refused.is_empty() {
                return Ok(Err(refused));
            }
            Ok(self.run(pool, version).await.map_err(|error| {
                let failure: Box<Failure> = error.into();
                vec![failure.finding]
            }))
        })
    }

    /// What the server's parser refuses, of all texts at once.
    async fn refused(&self, pool: &Pool, version: &str) -> Result<Vec<Finding>, Box<Failure>> {
        let client = pool.get().await.map_err(|error| {
            Box::new(Failure::new(
                Exit::Database,
                format!("no connection to the database: {error}"),
            ))
        })?;
        let mut found = Vec::new();
        for file in &self.texts {
            let refusals = scratch::parse(&client, file.text()).await;
            let refusals = refusals.map_err(Box::<Failure>::from)?;
            found.extend(refusals.iter().map(|it| finding(file, it, version)));
        }
        Ok(found)
    }

    async fn run(&self, pool: &Pool, version: &str) -> Result<Tried, dunlin::Error> {
        let migrations: Vec<&Migration> = self.registry.iter().collect();
        let is_rust = |it: &&Migration| self.door == Door::Folder && it.path().ends_with(".rs");
        let n = migrations.iter().position(is_rust).unwrap_or(migrations.len());
        let able = &migrations[..n];
        let undone = able.iter().rev().take_while(|it| it.has_undo()).count();
        let tried = Tried {
            version: version.to_owned(),
            applied: n,
            undone,
            ends_before: migrations.get(n).map(|it| it.name().to_owned()),
        };
        let Some(last) = able.last() else { return Ok(tried) };
        let target = || Target::To(last.name().to_owned());
        let migrator = Migrator::new(self.registry);
        let _first = migrator.apply_to(pool, target()).await?;
        if undone > 0 {
            let _undone = migrator.roll_back(pool, Target::Back(undone)).await?;
            let _again = migrator.apply_to(pool, target()).await?;
        }
        Ok(tried)
    }
}

fn finding(file: &Arc<SourceFile>, refusal: &Refusal, version: &str) -> Finding {
    let Refusal { span, message, hint } = refusal;
    let diagnostic = Diagnostic::new(Rule::Syntax, message)
        .at(Place::span(file, *span, ""))
        .note(format!("PostgreSQL {version} refuses the statement"));
    let diagnostic = match hint {
        Some(hint) => diagnostic.help(format!("from the server: {hint}")),
        None => diagnostic,
    };
    Finding::from(&diagnostic)
}
