//! Two inventories beside each other. Pure: no database in sight.

use super::{Inventory, Object};
use crate::line_diff::LineDiff;

/// One thing that migrations make in another way than a database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    object: String,
    expected: Option<String>,
    found: Option<String>,
    dropped_by: Option<String>,
    pending: Option<String>,
}

impl Difference {
    /// What it is about: `column public.users.email`.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.object
    }

    /// How the migrations make it; nothing if they do not.
    #[must_use]
    pub fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }

    /// How the database has it; nothing if it does not.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// The recorded migration that drops it, although the database has it.
    #[must_use]
    pub fn dropped_by(&self) -> Option<&str> {
        self.dropped_by.as_deref()
    }

    /// The pending migration that will make it, although the database has it already, so that it will
    /// most likely fail.
    #[must_use]
    pub fn pending(&self) -> Option<&str> {
        self.pending.as_deref()
    }

    /// Whether what the migrations make is not there, or not so, or what they drop is there. What a
    /// database has besides is told and contradicts nothing.
    #[must_use]
    pub const fn stands_against(&self) -> bool {
        self.expected.is_some() || self.dropped_by.is_some()
    }

    /// Why the database should not have it, or that no migration makes it; a sentence without its subject.
    #[must_use]
    pub fn besides(&self) -> String {
        match (&self.dropped_by, &self.pending) {
            (Some(name), _) => format!("is in the database, although `{name}` drops it"),
            (None, Some(name)) => {
                format!("is there already, and `{name}`, which is pending, makes it")
            }
            (None, None) => "is made by no migration".to_owned(),
        }
    }

    /// The lines about it in a message.
    pub(crate) fn described(&self) -> String {
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) if expected.contains('\n') || found.contains('\n') => {
                let diff = LineDiff::new(found, expected);
                let diff = diff.unified(1, "in the database", "by the migrations");
                format!("differs: {}\n{diff}", self.object)
            }
            (Some(expected), Some(found)) => format!(
                "differs: {}\n  by the migrations: {}\n  in the database:   {}\n",
                self.object,
                or_nothing(expected),
                or_nothing(found)
            ),
            (Some(expected), None) => format!(
                "lacking: {} is not in the database\n{}",
                self.object,
                shown("  by the migrations: ", expected)
            ),
            (None, _) => {
                let word = if self.dropped_by.is_some() { "left" } else { "besides" };
                format!("{word}: {} {}\n", self.object, self.besides())
            }
        }
    }
}

fn or_nothing(definition: &str) -> &str {
    if definition.is_empty() { "(nothing more)" } else { definition }
}

/// The first line of a definition behind some words.
fn shown(words: &str, definition: &str) -> String {
    match definition.lines().next() {
        Some(line) => format!("{words}{line}\n"),
        None => String::new(),
    }
}

/// What differs, thing by thing. What belongs to a table that only one side has is not told again.
///
/// `dropped_by` names the migration that has dropped something, and `pending` the one that is to make it.
pub(crate) fn differences(
    expected: &Inventory,
    found: &Inventory,
    dropped_by: impl Fn(&Object) -> Option<&'static str>,
    pending: impl Fn(&Object) -> Option<&'static str>,
) -> Vec<Difference> {
    let of = |object: &Object, expected: Option<&String>, found: Option<&String>| {
        let is_besides = expected.is_none();
        let named = |name: Option<&str>| name.filter(|_| is_besides).map(str::to_owned);
        Difference {
            object: object.described(),
            expected: expected.cloned(),
            found: found.cloned(),
            dropped_by: named(dropped_by(object)),
            pending: named(pending(object)),
        }
    };
    let mut differences = Vec::new();
    for (object, definition) in &expected.0 {
        match found.0.get(object) {
            Some(other) if other == definition => {}
            None if found.lacks_relation_of(object, expected) => {}
            other => differences.push(of(object, Some(definition), other)),
        }
    }
    for (object, definition) in &found.0 {
        if !expected.0.contains_key(object) && !expected.lacks_relation_of(object, found) {
            differences.push(of(object, None, Some(definition)));
        }
    }
    differences
}

impl Inventory {
    /// Whether the table that something belongs to is in the other inventory alone.
    fn lacks_relation_of(&self, object: &Object, other: &Self) -> bool {
        let has = |inventory: &Self| {
            inventory.0.keys().any(|it| {
                it.is_relation() && it.schema == object.schema && it.relation == object.relation
            })
        };
        !object.relation.is_empty() && !object.is_relation() && has(other) && !has(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(objects: &[(&str, &str, &str, &str)]) -> Inventory {
        let object = |&(kind, relation, name, definition): &(&str, &str, &str, &str)| {
            let object = Object {
                schema: "public".to_owned(),
                relation: relation.to_owned(),
                rank: usize::from(kind != "table"),
                kind: kind.to_owned(),
                name: name.to_owned(),
            };
            (object, definition.to_owned())
        };
        Inventory(objects.iter().map(object).collect())
    }

    #[track_caller]
    fn check(
        expected: &[(&str, &str, &str, &str)],
        found: &[(&str, &str, &str, &str)],
        said: &str,
    ) {
        let differences = differences(&inventory(expected), &inventory(found), |_| None, |_| None);
        let text: String = differences.iter().map(Difference::described).collect();
        assert_eq!(text, said);
    }

    const USERS: (&str, &str, &str, &str) = ("table", "users", "users", "");
    const ID: (&str, &str, &str, &str) = ("column", "users", "id", "bigint not null");

    #[test]
    fn what_is_the_same_is_not_told() {
        check(&[USERS, ID], &[USERS, ID], "");
    }

    #[test]
    fn a_column_that_is_made_in_another_way_is_told_with_both() {
        check(
            &[USERS, ID],
            &[USERS, ("column", "users", "id", "integer")],
            "differs: column public.users.id\n  by the migrations: bigint not null\n  in the database:   integer\n",
        );
        check(
            &[USERS],
            &[("table", "users", "users", "unlogged")],
            "differs: table public.users\n  by the migrations: (nothing more)\n  in the database:   unlogged\n",
        );
    }

    #[test]
    fn what_belongs_to_a_table_that_is_lacking_is_not_told_again() {
        check(&[USERS, ID], &[], "lacking: table public.users is not in the database\n");
        check(&[], &[USERS, ID], "besides: table public.users is made by no migration\n");
        check(
            &[USERS, ID],
            &[USERS],
            "lacking: column public.users.id is not in the database\n  by the migrations: bigint not null\n",
        );
    }

    #[test]
    fn a_function_is_told_as_a_diff() {
        let (one, two) = (("function", "", "f()", "a\nb\n"), ("function", "", "f()", "a\nc\n"));
        check(
            &[one],
            &[two],
            "differs: function public.f()\n--- in the database\n+++ by the migrations\n@@ -1,2 +1,2 @@\n a\n-c\n+b\n",
        );
    }
}
