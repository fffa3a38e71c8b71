//! The rehearsal: what recorded migrations make, compared with what a database has.
//!
//! **Invariant:** the database is only read; everything is run on the scratch database.

use tokio_postgres::Client;

use super::adoption::{Adoption, AdoptionState, Proof, Rehearsed};
use super::origin::Located;
use super::refusal::not_empty;
use crate::amend::Mark;
use crate::database::Database;
use crate::database::sealed::Connect;
use crate::error::{Error, Result};
use crate::inventory::{Difference, Except, Inventory, differences};
use crate::migrator::Migrator;
use crate::plan::Target;
use crate::quote::{identifier, literal};
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
    /// Runs the recorded migrations on a scratch database and compares what they make with what the
    /// database has: tables, columns, constraints, indexes, views, sequences, types, functions, triggers,
    /// policies, rules, statistics and extensions, without owners, privileges and comments.
    ///
    /// If everything they make is there, they are proved. What is different is told
    /// ([`Adoption::differences`]), and what the database has besides as well, which contradicts nothing. The scratch database must be empty, and its
    /// server of the same major version, because the servers write the definitions. Schemas that the search
    /// path of this database names are created there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Migration`](crate::ErrorKind::Migration) when a migration fails on the scratch database.
    /// A difference is no error here.
    pub async fn rehearse(
        &self,
        database: impl Database,
        adoption: Adoption,
        scratch: Scratch<'_>,
    ) -> Result<Adoption> {
        let Scratch { client, makes_roles } = scratch;
        let session = Session::new(database.connect().await?);
        let original = self.original(&session, &adoption).await?;
        drop(session);
        let major = {
            let session = Session::new(Connect::connect(&mut *client).await?);
            original.prepare(&session, makes_roles).await?
        };
        self.run_on(client, &adoption).await.map_err(|error| {
            error
                .note("this was the rehearsal on the scratch server: nothing was changed in the database")
                .help("if the migrations need what that server does not have, such as an extension or data, rehearse them on one that has it: `Migrator::rehearse`")
                .help("or record them as unverified without a rehearsal: `Migrator::unproved`")
        })?;
        let made = inventory(client).await?;
        let differences = differences(&made, &original.inventory);
        let is_same = !differences.iter().any(Difference::stands_against);
        let rehearsed = Some(Rehearsed { differences, server_major: major });
        let mut adoption = Adoption { rehearsed, ..adoption };
        for it in &mut adoption.entries {
            if is_same && it.state == AdoptionState::Found && it.proof.is_none() {
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

    /// Runs what is recorded, and nothing else, in the order here.
    async fn run_on(&self, scratch: &mut Client, adoption: &Adoption) -> Result<()> {
        let rehearsal = Migrator::new(self.registry).history_schema(REHEARSAL).without_log();
        let applied: Vec<&str> = adoption.applied().map(|it| it.name).collect();
        let Some(last) = applied.last() else { return Ok(()) };
        for migration in self.registry.iter().take_while(|it| it.name != *last) {
            if !applied.contains(&migration.name) {
                rehearsal.mark(&mut *scratch, migration.name, Mark::Applied).await?;
            }
        }
        let target = Target::To((*last).to_owned());
        let _report = rehearsal.apply_to(&mut *scratch, target).await?;
        Ok(())
    }
}

impl Original {
    /// Makes the scratch database like the other one where migrations do not, and gives the major version
    /// of its server.
    async fn prepare(&self, session: &Session<'_>, makes_roles: bool) -> Result<u32> {
        let there = Inventory::of(session, &Except::default()).await?;
        if let Some(object) = there.first_made() {
            return Err(not_empty(&object));
        }
        let mut statements: Vec<String> = self
            .path
            .iter()
            .map(|schema| format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(schema)))
            .collect();
        if makes_roles {
            statements.extend(self.roles.iter().map(|role| create_role(role)));
        }
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
    let session = Session::new(Connect::connect(scratch).await?);
    let except = Except { schemas: [REHEARSAL.to_owned()].into(), ..Except::default() };
    Inventory::of(&session, &except).await
}
