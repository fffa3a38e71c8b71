//! A SQL text on its way to the server: its statements, and places in it.

use std::sync::Arc;

use dunlin_core::directive::{self, Directives};
use dunlin_core::lexer::{Lexed, Token, TokenKind, lex};
use dunlin_core::source::byte_of_character;
use dunlin_core::statement::{Effect, Object, Statement, Verb, split};
use dunlin_core::{Place, SourceFile, Span};
use tokio_postgres::error::{DbError, ErrorPosition};

use crate::event;
use crate::residue::{Residue, residue};

/// How many lines a summary has at most.
const SUMMARY_MAX: usize = 8;

/// A SQL text with its statements.
#[derive(Debug)]
pub(crate) struct SqlText<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    lexed: Lexed,
    pub(crate) statements: Vec<Statement>,
    /// What it may leave behind in the session.
    pub(crate) residue: Residue,
    pub(crate) directives: Directives,
}

impl<'a> SqlText<'a> {
    pub(crate) fn new(path: &'a str, text: &'a str) -> Self {
        let lexed = lex(text);
        let statements = split(text, &lexed);
        let residue = residue(text, &lexed, &statements);
        let file = Arc::new(SourceFile::new(path, text));
        // The build has refused what is wrong with them.
        let (directives, _problems) = directive::read(&file, &lexed.tokens);
        Self { path, text, lexed, statements, residue, directives }
    }

    /// What the first statements may leave behind in the session.
    pub(crate) fn residue_of_first(&self, n: usize) -> Residue {
        let first = self.statements.get(..n).unwrap_or_default();
        residue(self.text, &self.lexed, first)
    }

    /// Where a whole text that was sent failed, after so many of its statements were completed.
    pub(crate) fn place_in_batch(&self, n_completed: usize, error: &DbError) -> Place {
        self.place(error, 0).unwrap_or_else(|| self.place_of(n_completed))
    }

    /// Where the statement of this index failed, which was sent alone.
    pub(crate) fn place_in_statement(&self, index: usize, error: &DbError) -> Place {
        let start = self.statements.get(index).map_or(0, |statement| statement.span.start);
        self.place(error, start).unwrap_or_else(|| self.place_of(index))
    }

    /// The statement in which a text that was sent whole failed.
    pub(crate) fn failed_statement(
        &self,
        n_completed: usize,
        error: Option<&DbError>,
    ) -> Option<&Statement> {
        let at = error.and_then(|error| self.byte_of(error, 0));
        let holding =
            |at| self.statements.iter().find(|it| it.span.start <= at && at <= it.span.end);
        at.and_then(holding).or_else(|| self.statements.get(n_completed))
    }

    /// The token the server's position names; `start` is where the text that was sent begins.
    fn place(&self, error: &DbError, start: usize) -> Option<Place> {
        let at = self.byte_of(error, start)?;
        let token =
            self.lexed.tokens.iter().find(|token| token.span.start <= at && at < token.span.end);
        let span = token.map_or(Span::new(at, at), |token| token.span);
        Some(Place::span(&self.file(), span, "the server stopped here"))
    }

    fn byte_of(&self, error: &DbError, start: usize) -> Option<usize> {
        let Some(ErrorPosition::Original(position)) = error.position() else { return None };
        let position = usize::try_from(*position).ok()?;
        Some(start + byte_of_character(self.text.get(start..)?, position))
    }

    /// The statement of this index as a whole, for the many errors without a position.
    pub(crate) fn place_of(&self, index: usize) -> Place {
        let n = self.statements.len();
        match self.statements.get(index) {
            Some(statement) if n > 1 => Place::span(
                &self.file(),
                statement.span,
                format!("in this statement ({} of {n})", index + 1),
            ),
            Some(statement) => Place::span(&self.file(), statement.span, "in this statement"),
            None => Place::file(self.path),
        }
    }

    /// The statement of this index, as events tell of it.
    pub(crate) fn told(&self, index: usize) -> event::Statement {
        let statement = self.statements.get(index);
        let effect = statement.and_then(|it| it.effects.iter().find(|it| it.name.is_some()));
        event::Statement {
            number: index + 1,
            n_statements: self.statements.len(),
            command: statement.map_or("statement", |it| it.command),
            object: effect.and_then(|it| it.name.clone()),
        }
    }

    /// The tables and views whose existing form the text changes, by name, each once.
    pub(crate) fn touched_relations(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .effects()
            .filter_map(
                |it| if is_relation(it.object) { it.name.as_deref() } else { it.on.as_deref() },
            )
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The tokens of a statement that mean something, with their texts.
    pub(crate) fn tokens_of(&self, statement: &Statement) -> Vec<&Token> {
        let tokens = self.lexed.tokens.get(statement.tokens.clone()).unwrap_or_default();
        tokens.iter().filter(|token| !token.is_trivia()).collect()
    }

    /// Whether a statement is `ALTER TABLE t VALIDATE CONSTRAINT c` and nothing else.
    pub(crate) fn validates(&self, statement: &Statement) -> bool {
        if statement.command != "ALTER TABLE" {
            return false;
        }
        let tokens = self.tokens_of(statement);
        let [.., validate, constraint, _] = tokens.as_slice() else { return false };
        validate.is_word(self.text, "VALIDATE")
            && constraint.is_word(self.text, "CONSTRAINT")
            && !tokens.iter().any(|it| it.kind == TokenKind::Comma)
    }

    fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.statements.iter().flat_map(|statement| &statement.effects)
    }

    fn file(&self) -> Arc<SourceFile> {
        Arc::new(SourceFile::new(self.path, self.text))
    }

    /// The tables and views that are created only if they do not exist, by name.
    pub(crate) fn conditional_relations(&self) -> Vec<&str> {
        self.effects()
            .filter(|it| it.verb == Verb::Created && it.conditional && is_relation(it.object))
            .filter_map(|it| it.name.as_deref())
            .collect()
    }

    /// The indexes that are created only if they do not exist, with their tables.
    pub(crate) fn conditional_indexes(&self) -> Vec<(&str, &str)> {
        self.effects()
            .filter(|it| it.verb == Verb::Created && it.conditional && it.object == Object::Index)
            .filter_map(|it| Some((it.on.as_deref()?, it.name.as_deref()?)))
            .collect()
    }

    /// One line for each thing the text creates, alters or drops, the tables and views if there are
    /// any, else what else there is. `existing` are those that were there already.
    pub(crate) fn summary(&self, existing: &[String]) -> Vec<String> {
        let mut lines = lines(self.effects().filter(|effect| is_relation(effect.object)), existing);
        if lines.is_empty() {
            lines = self::lines(self.effects(), existing);
        }
        if lines.len() > SUMMARY_MAX {
            let n_more = lines.len() - SUMMARY_MAX + 1;
            lines.truncate(SUMMARY_MAX - 1);
            lines.push(format!("And {n_more} more"));
        }
        lines
    }
}

const fn is_relation(object: Object) -> bool {
    matches!(object, Object::Table | Object::View | Object::MaterializedView | Object::ForeignTable)
}

/// A table that is created and then altered was created; several changes to it are one line.
fn lines<'a>(effects: impl Iterator<Item = &'a Effect>, existing: &[String]) -> Vec<String> {
    let mut told: Vec<(Object, &str)> = Vec::new();
    let mut lines = Vec::new();
    for effect in effects {
        let Some(name) = &effect.name else { continue };
        if told.contains(&(effect.object, name)) {
            continue;
        }
        told.push((effect.object, name));
        let object = effect.object.words().to_lowercase();
        lines.push(match &effect.verb {
            Verb::Created if effect.conditional && existing.contains(name) => {
                format!("Kept {name} {object}, which existed")
            }
            Verb::Created => format!("Created {name} {object}"),
            Verb::Altered => format!("Altered {name} {object}"),
            Verb::Renamed { to } => format!("Renamed {name} {object} to {to}"),
            Verb::ValueAdded { value } => format!("Added '{value}' to {name} {object}"),
            Verb::Dropped => format!("Dropped {name} {object}"),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &[&str]) {
        assert_eq!(SqlText::new("x.sql", sql).summary(&["old".to_owned()]), expected);
    }

    #[test]
    fn tables_and_views_stand_for_the_rest() {
        check(
            "CREATE TYPE s AS ENUM ('a'); CREATE TABLE users (id int); CREATE INDEX i ON users (id);
             ALTER TABLE users ADD COLUMN x int; CREATE VIEW v AS SELECT 1;",
            &["Created users table", "Created v view"],
        );
        check(
            "ALTER TABLE a ADD b int; ALTER TABLE a ADD c int; DROP TABLE d;",
            &["Altered a table", "Dropped d table"],
        );
    }

    #[test]
    fn what_was_there_is_not_said_to_be_created() {
        check(
            "CREATE TABLE IF NOT EXISTS old (id int); CREATE TABLE IF NOT EXISTS new (id int);",
            &["Kept old table, which existed", "Created new table"],
        );
    }

    #[test]
    fn without_them_everything_else_is_told() {
        check(
            "CREATE INDEX i ON t (a); ALTER TYPE s ADD VALUE 'b';",
            &["Created i index", "Added 'b' to s type"],
        );
        check("INSERT INTO t VALUES (1);", &[]);
        check(&"CREATE INDEX ON t (a); ".repeat(20), &[]);
    }
}
