//! What a database holds: its tables, columns, constraints and so on, each with its definition.
//!
//! Separate from the adoption that compares two of them, because what is read here says nothing of what
//! a difference means.
//!
//! **Invariant:** definitions are written by the server with an empty search path, so that two databases
//! that hold the same say the same. Names of owners, privileges, storage settings and comments are no
//! part of it, and neither is what an extension has brought.

mod difference;
mod questions;

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::SimpleQueryRow;

use crate::error::{Error, Result};
use crate::session::{Session, text};

pub use difference::Difference;
pub(crate) use difference::differences;

/// Everything in a database that migrations could have made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventory(BTreeMap<Object, String>);

/// One thing in a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Object {
    pub(crate) schema: String,
    /// The table it belongs to; empty if it stands alone.
    pub(crate) relation: String,
    /// Tables before what they hold.
    rank: usize,
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// What is left out: tables by schema and name, and whole schemas.
#[derive(Clone, Debug, Default)]
pub(crate) struct Except {
    pub(crate) tables: Vec<(String, String)>,
    pub(crate) schemas: BTreeSet<String>,
}

impl Except {
    fn holds(&self, object: &Object) -> bool {
        let is_table = |(schema, name): &(String, String)| {
            *schema == object.schema && *name == object.relation
        };
        self.schemas.contains(&object.schema) || self.tables.iter().any(is_table)
    }
}

impl Inventory {
    /// Reads the catalog, which every role may.
    pub(crate) async fn of(session: &Session<'_>, except: &Except) -> Result<Self> {
        // One message is one transaction, which is what `true` limits the setting to.
        let question = format!(
            "SELECT pg_catalog.set_config('search_path', '', true) AS path; {}",
            questions::all()
        );
        let rows = session.rows(&question).await;
        let rows = rows.map_err(|error| Error::from_looking("reading the catalog", error))?;
        let objects = rows.iter().filter_map(object);
        Ok(Self(objects.filter(|(object, _)| !except.holds(object)).collect()))
    }
}

impl Inventory {
    /// What is not the same in a later one: made, altered or dropped in between.
    pub(crate) fn changed_in<'i>(&'i self, later: &'i Self) -> impl Iterator<Item = &'i Object> {
        let dropped = self.0.keys().filter(|object| !later.0.contains_key(*object));
        let is_changed =
            |(object, definition): &(&Object, &String)| self.0.get(*object) != Some(*definition);
        dropped.chain(later.0.iter().filter(is_changed).map(|(object, _)| object))
    }

    /// Everything in it.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.0.keys()
    }

    /// Whether it has something.
    pub(crate) fn has(&self, object: &Object) -> bool {
        self.0.contains_key(object)
    }

    /// The first thing that a new database does not have.
    pub(crate) fn first_made(&self) -> Option<String> {
        let is_given = |object: &Object| match object.kind.as_str() {
            "schema" => object.schema == "public",
            "extension" => object.name == "plpgsql",
            _ => false,
        };
        self.0.keys().find(|object| !is_given(object)).map(Object::described)
    }
}

impl Object {
    /// `column public.users.email`
    pub(crate) fn described(&self) -> String {
        let parts = [&self.schema, &self.relation, &self.name];
        let is_own_name = self.relation == self.name;
        let parts: Vec<&str> = parts
            .into_iter()
            .enumerate()
            .filter(|(at, part)| !(part.is_empty() || *at == 2 && is_own_name))
            .map(|(_, part)| part.as_str())
            .collect();
        format!("{} {}", self.kind, parts.join("."))
    }

    /// Whether it is a table or a view, which other things belong to.
    fn is_relation(&self) -> bool {
        !self.relation.is_empty() && self.relation == self.name && self.rank == 0
    }
}

fn object(row: &SimpleQueryRow) -> Option<(Object, String)> {
    let of = |column| text(row, column).unwrap_or_default().to_owned();
    let kind = text(row, "kind")?.to_owned();
    let is_relation = questions::RELATIONS.contains(&kind.as_str());
    let rank = usize::from(!is_relation);
    let object =
        Object { schema: of("schema"), relation: of("relation"), rank, kind, name: of("name") };
    Some((object, of("definition")))
}
