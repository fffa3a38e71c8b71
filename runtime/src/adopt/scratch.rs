//! The rehearsal: what recorded migrations make, compared with what a database has.
//!
//! **Invariant:** the database is only read; everything is run on the scratch database.

use std::collections::{BTreeMap, BTreeSet};

use dunlin_core::lexer::lex;
use dunlin_core::statement::{Object as Kind, Verb, split};
use tokio_postgres::Client;

use super::adoption::{Adoption, AdoptionState, Proof, Rehearsed};
use super::origin::Located;
use super::refusal::not_empty;
use super::steps::Steps;
use crate::amend::Mark;
use crate::database::Database;
use crate::database::Link;
use crate::error::{Error, Result};
use crate::inventory::{Difference, Except, Inventory, Object, differences};
use crate::migrator::Migrator;
use crate::plan::Target;
use crate::quote::{identifier, literal};
use crate::registry::{Code, Migration};
use crate::session::{Session, text};

/// The schema in which a rehearsal keeps its own history.
const REHEARSAL: &str = "dunlin_rehearsal";

/// An empty database on which migrations are rehearsed. What they make stays in it.
#[derive(Debug)]
pub struct Scratch<'a> {
    client: &'a mut Client,
    makes_roles: bool,
}

impl<'a> Scratch<'a> {
    /// A database.
    pub const fn new(client: &'a mut Client) -> Self {
        Self { client, makes_roles: false }
    }

    /// Creates the roles of the other server that this one lacks, which may not log in: for a server that
    /// is there for nothing else.
    #[must_use]
    pub const fn with_roles(mut self) -> Self {
        self.makes_roles = true;
        self
    }
}

/// What the rehearsal needs to know of the database.
#[derive(Debug)]
struct Original {
    inventory: Inventory,
    /// The schemas of the search path that exist.
    path: Vec<String>,
    roles: Vec<String>,
}

impl Migrator<'_> {
    /// Runs the recorded migrations on a scratch database, one after another, and compares what they make
    /// with what the database has: tables, columns, constraints, indexes, views, sequences, types,
    /// functions, operators, casts, collations, text search, triggers, policies, rules, statistics,
    /// publications, languages, foreign servers and extensions, without owners, privileges and comments.
    ///
    /// If everything they make is there and nothing is that they drop, each whose work shows is proved. One
    /// that changes nothing of this, such as a file of `INSERT`s, or whose work was changed again by later
    /// ones, remains unproved and will be recorded as unverified. What is different is told
    /// ([`Adoption::differences`]), and what the database has besides as well, which contradicts nothing.
    ///
    /// The scratch database must be empty, and its server of the same major version, because the servers
    /// write the definitions. Schemas that the search path of this database names are created there. Roles
    /// that migrations create belong to the whole server, and stay on it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Migration`](crate::ErrorKind::Migration) when a migration fails on the scratch database. A difference is no error
    /// here.
    pub async fn rehearse(
        &self,
        database: impl Database,
        adoption: Adoption,
        scratch: Scratch<'_>,
    ) -> Result<Adoption> {
        let Scratch { client, makes_roles } = scratch;
        let session = Session::new(database.link().connect().await?);
        let original = self.original(&session, &adoption).await?;
        drop(session);
        let major = {
            let session = Session::new(Link::Client(client).connect().await?);
            let roles = if makes_roles { original.roles_before(&adoption) } else { Vec::new() };
            original.prepare(&session, &roles).await?
        };
        let steps = self.run_on(client, &adoption).await.map_err(Error::of_rehearsal)?;
        let is_besides = |object: &Object| !steps.now().has(object);
        let has_besides = original.inventory.objects().any(is_besides);
        let pending = match has_besides {
            true => self.pending_on(client, &adoption, steps.now()).await,
            false => BTreeMap::new(),
        };
        let differences = differences(
            steps.now(),
            &original.inventory,
            |object| steps.dropped_by(object),
            |object| pending.get(object).copied(),
        );
        let is_same = !differences.iter().any(Difference::stands_against);
        let seen = steps.seen();
        let rehearsed = Some(Rehearsed { differences, server_major: major });
        let mut adoption = Adoption { rehearsed, ..adoption };
        for it in &mut adoption.entries {
            let is_seen = seen.contains(it.name.as_str());
            if is_same && is_seen && it.state == AdoptionState::Found && it.proof.is_none() {
                it.proof = Some(Proof::Schema);
            }
        }
        Ok(adoption)
    }

    async fn original(&self, session: &Session<'_>, adoption: &Adoption) -> Result<Original> {
        let glance = self.table.glance(session).await?;
        let mut except = Except { tables: glance.history.own_tables(), ..Except::default() };
        if let Some(Located { schema, name, .. }) = &adoption.located {
            except.tables.push((schema.clone(), name.clone()));
        }
        let inventory = Inventory::of(session, &except).await?;
        let question = "SELECT pg_catalog.unnest(pg_catalog.current_schemas(false)) AS schema; \
             SELECT rolname FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname";
        let rows = session.rows(question).await;
        let rows =
            rows.map_err(|error| Error::from_looking("asking for the search path", error))?;
        let all = |column: &str| {
            rows.iter().filter_map(|row| text(row, column)).map(str::to_owned).collect()
        };
        Ok(Original { inventory, path: all("schema"), roles: all("rolname") })
    }

    /// Runs what is recorded, and nothing else, in the order here, and looks behind each.
    async fn run_on(&self, scratch: &mut Client, adoption: &Adoption) -> Result<Steps> {
        let rehearsal = self.rehearsal();
        let applied: BTreeSet<&str> = adoption.applied().map(|it| it.name).collect();
        let mut n_left = applied.len();
        let mut steps = Steps::from(inventory(scratch).await?);
        for migration in self.registry.iter() {
            if n_left == 0 {
                break;
            }
            if !applied.contains(migration.name) {
                rehearsal.mark(&mut *scratch, migration.name, Mark::Applied).await?;
                continue;
            }
            let target = Target::To(migration.name.to_owned());
            let _report = rehearsal.apply_to(&mut *scratch, target).await?;
            steps.took(migration.name, inventory(scratch).await?);
            n_left -= 1;
        }
        Ok(steps)
    }

    /// Runs what is pending behind that, as far as it runs at all, and gives what it makes. Whether it
    /// runs on an empty database says nothing of the adoption.
    async fn pending_on(
        &self,
        scratch: &mut Client,
        adoption: &Adoption,
        start: &Inventory,
    ) -> BTreeMap<Object, &'static str> {
        let rehearsal = self.rehearsal();
        let mut steps = Steps::from(start.clone());
        let pending: Vec<&'static Migration> = adoption.pending().collect();
        for migration in pending {
            let target = Target::To(migration.name.to_owned());
            if rehearsal.apply_to(&mut *scratch, target).await.is_err() {
                break;
            }
            let Ok(now) = inventory(scratch).await else { break };
            steps.took(migration.name, now);
        }
        let made = steps.now().objects().filter(|object| !start.has(object));
        made.filter_map(|object| Some((object.clone(), steps.made_by(object)?))).collect()
    }

    fn rehearsal(&self) -> Migrator<'_> {
        Migrator::new(self.registry).history_schema(REHEARSAL).without_log()
    }
}

impl Original {
    /// The roles that the recorded migrations find there.
    fn roles_before(&self, adoption: &Adoption) -> Vec<&str> {
        let created: BTreeSet<String> = adoption.applied().flat_map(created_roles).collect();
        let is_found =
            |role: &&str| !created.contains(*role) && !created.contains(&identifier(role));
        self.roles.iter().map(String::as_str).filter(is_found).collect()
    }

    /// Makes the scratch database like the other one where migrations do not, and gives the major version
    /// of its server.
    async fn prepare(&self, session: &Session<'_>, roles: &[&str]) -> Result<u32> {
        let there = Inventory::of(session, &Except::default()).await?;
        if let Some(object) = there.first_made() {
            return Err(not_empty(&object));
        }
        let mut statements: Vec<String> = self
            .path
            .iter()
            .map(|schema| format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(schema)))
            .collect();
        statements.extend(roles.iter().map(|role| create_role(role)));
        let path: Vec<_> = self.path.iter().map(|schema| identifier(schema)).collect();
        let path = if path.is_empty() { "''".to_owned() } else { path.join(", ") };
        statements.push(format!("SET search_path = {path}"));
        statements
            .push("SELECT pg_catalog.current_setting('server_version_num') AS version".to_owned());
        let rows = session.rows(&statements.join("; ")).await;
        let rows =
            rows.map_err(|error| Error::from_postgres("preparing the scratch database", error))?;
        let version = rows.iter().find_map(|row| text(row, "version"));
        Ok(version.and_then(|it| it.parse::<u32>().ok()).unwrap_or_default() / 10_000)
    }
}

/// The roles that a migration creates with a statement of its own, in quotes if they need them.
fn created_roles(migration: &'static Migration) -> Vec<String> {
    if !matches!(migration.up.code, Code::Sql { .. }) {
        return Vec::new();
    }
    let text = migration.up.text;
    let statements = split(text, &lex(text));
    let effects = statements.into_iter().flat_map(|it| it.effects);
    let created = effects.filter(|it| it.verb == Verb::Created && it.object == Kind::Role);
    created.filter_map(|it| it.name).collect()
}

/// The statement that creates a role, if there is none of that name. `CREATE ROLE` itself cannot ask.
fn create_role(role: &str) -> String {
    let body = format!(
        "BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN CREATE ROLE {}; END IF; END",
        literal(role),
        identifier(role)
    );
    format!("DO {}", literal(&body))
}

/// What the migrations have made.
async fn inventory(scratch: &mut Client) -> Result<Inventory> {
    let session = Session::new(Link::Client(scratch).connect().await?);
    let except = Except { schemas: [REHEARSAL.to_owned()].into(), ..Except::default() };
    Inventory::of(&session, &except).await
}
