//! Laws of the checks over random files; what they say is in `tests/folders/`.

use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;

use super::script::check;
use crate::checksum::Checksum;
use crate::diagnostic::Diagnostic;
use crate::filename::{Judgement, judge};
use crate::folder::{CheckedFile, LoadedFile, Transaction};
use crate::known::Known;
use crate::lexer::lex;
use crate::options::Options;
use crate::rule::{DefaultLevel, Rule};
use crate::source::SourceFile;
use crate::statement::{Kind, split};

fn checked(name: &str, text: &str) -> (CheckedFile, Vec<Diagnostic>) {
    let Judgement::Migration(name) = judge(name) else { panic!("{name}") };
    let file = Arc::new(SourceFile::new("m/1_x.sql", text));
    let checksum = Checksum::of(file.text());
    let loaded =
        LoadedFile { path: PathBuf::new(), name, file, checksum, transaction: Transaction::One };
    let mut diagnostics = Vec::new();
    (check(loaded, &Options::default(), &mut Known::default(), &mut diagnostics), diagnostics)
}

/// A statement with another problem is not parsed; the others are.
#[cfg(feature = "syntax")]
#[test]
fn a_statement_is_parsed_whatever_is_wrong_around_it() {
    let n_found = |text: &str| {
        let found = checked("1_x.sql", text).1;
        found.iter().filter(|it| it.rule() == Rule::Syntax).count()
    };
    for (text, expected) in [
        ("SELECT 1 1;", 1),
        ("VACUUM; SELECT 1 1;", 1),
        ("SELECT 1 1; VACUUM;", 1),
        ("SELECT 1 1;VACUUM;SELECT 1 1;", 2),
        ("SELECT '\0' 1 1;", 0),
        ("SELECT 1 1;SELECT '\0';SELECT 1 1;", 2),
        ("SET TRANSACTION READ;", 1),
        ("SAVEPOINT;", 1),
        ("COMMIT 1;", 0),
    ] {
        assert_eq!(n_found(text), expected, "{text:?}");
    }
}

/// Pieces that the rules look at, in any order.
const PIECES: &[&str] = &[
    "BEGIN",
    "COMMIT",
    "END",
    "START\nTRANSACTION",
    "ROLLBACK",
    "ISOLATION LEVEL SERIALIZABLE",
    ";",
    "\n",
    " ",
    "-- é\n",
    "/* é */",
    "ALTER TYPE t ADD VALUE 'a'",
    "CREATE TYPE t AS ENUM ('a')",
    "'a'",
    "$$a$$",
    "DO",
    "SET",
    "SESSION",
    "LOCAL",
    "AUTHORIZATION",
    "ROLE",
    "RESET",
    "ALL",
    "x",
    "=",
    "1",
    "set_config",
    "(",
    ")",
    ",",
    "false",
    "CREATE INDEX CONCURRENTLY i ON t (a)",
    "INSERT INTO",
    "migrations",
    "public.",
    "TRUNCATE",
    "COPY",
    "FROM",
    "U&\"\\0061\\\"",
    "\"é\"",
    "CREATE TABLE",
    "-- dunlin: allow leaking-setting: x\n",
    "-- dunlin: no-transaction\n",
    "LANGUAGE sql",
    "\\x\n",
];

fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.join(" "))
}

/// How many statements of a text begin or end a transaction, and how many others there are.
fn counted(text: &str) -> (usize, usize) {
    let statements = split(text, &lex(text));
    let is_boundary =
        |kind: Kind| matches!(kind, Kind::Transaction(control) if control.is_boundary());
    let n = statements.iter().filter(|it| is_boundary(it.kind)).count();
    (n, statements.len() - n)
}

proptest! {
    #[test]
    fn what_runs_differs_from_the_file_only_in_its_wrapper(text in texts(), is_undo in any::<bool>()) {
        let name = if is_undo { "1_x.down.sql" } else { "1_x.sql" };
        let (checked, diagnostics) = checked(name, &text);
        let is_told = diagnostics.iter().any(|it| it.rule() == Rule::WrappedTransaction);
        let script = checked.script;
        prop_assert_eq!(script.run.is_some(), is_told);
        prop_assert_eq!(script.checksum, Checksum::of(script.file.text()));
        let Some(run) = &script.run else { return Ok(()) };
        let file = script.file.text();
        prop_assert_eq!(run.len(), file.len());
        for ((at, ran), written) in run.bytes().enumerate().zip(file.bytes()) {
            prop_assert!(ran == written || (ran == b' ' && written != b'\n'), "{run:?} at {at}");
        }
        let (n_boundaries, n_others) = counted(file);
        prop_assert_eq!(n_boundaries, 2);
        prop_assert_eq!(counted(run), (0, n_others));
    }

    #[test]
    fn a_wrapper_around_any_plain_file_is_left_out(text in texts(), is_short in any::<bool>()) {
        let (plain, found) = checked("1_x.sql", &text);
        let is_broken = found.iter().any(|it| it.rule().default_level() == DefaultLevel::Fixed);
        if text.trim().is_empty() || plain.script.run.is_some() || is_broken || text.contains("dunlin:") {
            return Ok(());
        }
        let (begin, end) = if is_short { ("BEGIN;", "END") } else { ("begin transaction ;\n", "commit work;\n") };
        let wrapped = format!("{begin}{text}\n;{end}");
        let (checked, _) = checked("1_x.sql", &wrapped);
        let run = checked.script.run;
        prop_assert!(run.is_some(), "{wrapped}");
        let inside = &run.unwrap_or_default()[begin.len()..][..text.len()];
        prop_assert_eq!(inside, text.as_str());
    }

    #[test]
    fn a_place_is_in_the_file(text in texts()) {
        for problem in checked("1_x.sql", &text).1 {
            let (text, said) = (SourceFile::new("", &text), problem.to_string());
            prop_assert!(said.starts_with(problem.headline()));
            let location = problem.place().unwrap().location();
            prop_assert!(location.line() <= text.text().split('\n').count(), "{said}");
        }
    }
}

fn rules(text: &str) -> Vec<Rule> {
    checked("1_x.sql", text).1.iter().map(Diagnostic::rule).collect()
}

/// A label that is not understood is no label that anything else could be.
#[test]
fn an_enum_value_with_escapes_is_not_taken_for_an_empty_text() {
    let add = r"ALTER TYPE mood ADD VALUE U&'\0061';";
    assert_eq!(rules(&format!("{add} INSERT INTO t VALUES ('');")), []);
    let add = "ALTER TYPE mood ADD VALUE 'a';";
    assert_eq!(rules(&format!("{add} INSERT INTO t VALUES ('a');")), [Rule::EnumValueUsed]);
}

/// The way out depends on whose type it is.
#[test]
fn a_type_is_the_files_own_only_if_the_file_makes_it() {
    let help = |before: &str| {
        let text = format!("{before} ALTER TYPE b ADD VALUE 'x'; INSERT INTO t VALUES ('x');");
        let found = checked("1_x.sql", &text).1;
        assert_eq!(found.len(), 1, "{text}");
        found[0].to_string()
    };
    assert!(help("CREATE TYPE b AS ENUM ();").contains("into `CREATE TYPE`"));
    assert!(
        help("CREATE TYPE a AS ENUM (); ALTER TYPE a RENAME TO b;").contains("into `CREATE TYPE`")
    );
    assert!(help("ALTER TYPE a RENAME TO b;").contains("to the next migration"));
}

#[test]
fn the_history_table_is_known_by_any_name() {
    let is_told = |table: &str, text: &str| {
        let Judgement::Migration(name) = judge("1_x.sql") else { panic!() };
        let file = Arc::new(SourceFile::new("m/1_x.sql", text));
        let checksum = Checksum::of(file.text());
        let transaction = Transaction::One;
        let loaded = LoadedFile { path: PathBuf::new(), name, file, checksum, transaction };
        let options = Options { history_table: table.to_owned(), ..Options::default() };
        let mut found = Vec::new();
        let _checked = check(loaded, &options, &mut Known::default(), &mut found);
        found.iter().any(|it| it.rule() == Rule::HistoryTable)
    };
    for (table, written, other) in [
        ("m1", "m1", "m2"),
        ("m$1", "M$1", "m_1"),
        ("1m", "\"1m\"", "m1"),
        ("My Table", "\"My Table\"", "my_table"),
    ] {
        assert!(is_told(table, &format!("DROP TABLE {written};")), "{table}");
        assert!(!is_told(table, &format!("DROP TABLE {other};")), "{table}");
    }
}

#[test]
fn of_two_open_comments_both_are_shown() {
    let found = checked("1_x.sql", "/* a\n /* b\nSELECT 1;\n").1;
    let text = found[0].to_string();
    assert!(
        text.contains("opened here") && text.contains("this one inside it is not closed"),
        "{text}"
    );
    let found = checked("1_x.sql", "/* a\n /* b */\nSELECT 1;\n").1;
    assert!(!found[0].to_string().contains("this one inside it"), "{}", found[0]);
}
