//! The runtime's advice in the words of the command line.
//!
//! The runtime speaks to who writes a program and names its methods; who types a command needs the
//! option that leads to them.

use dunlin::{Place, Tool};

const METHOD: &str = "`Migrator::";
/// Where another tool's history is.
const ORIGIN: &str = "`Origin::";

const END_SESSION: &str = "SELECT pg_terminate_backend(";

/// The same advice for who types commands.
pub(crate) fn for_commands(text: &str) -> String {
    let text = replaced(text, ORIGIN, origin);
    let said = with_unlock(replaced(&text, METHOD, option));
    said.replace("`strict_order`", "`--strict-order`")
        .replace("`roll_back`", "`down`")
        .replace("`cargo dunlin ", "`")
}

/// The text with what a word begins and a backtick ends put in other words.
fn replaced(text: &str, word: &str, to: fn(&str) -> String) -> String {
    let mut said = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(word) {
        said.push_str(before);
        let Some((method, after)) = after.split_once('`') else {
            rest = &rest[before.len()..];
            break;
        };
        said.push_str(&format!("`{}`", to(method)));
        rest = after;
    }
    said.push_str(rest);
    said
}

/// `table("x")` becomes `--from-table x`, and `new(Tool::Sqlx).schema("a").table("b")` becomes
/// `--from sqlx --from-table a.b`.
fn origin(method: &str) -> String {
    let named = |part: &str| {
        let (_, rest) = method.split_once(&format!("{part}(\""))?;
        Some(rest.split_once("\")")?.0.replace("\\\"", "\""))
    };
    let mut words = Vec::new();
    if method.starts_with("new(") {
        let is_it = |tool: &&Tool| method.starts_with(&format!("new(Tool::{tool:?})"));
        let tool = Tool::ALL.iter().find(is_it).map_or("<tool>", |tool| tool.id());
        words.push(format!("--from {tool}"));
    }
    if let Some(table) = named("table").filter(|it| it == "...") {
        words.push(format!("--from-table {table}"));
    } else if let Some(table) = named("table") {
        let place = Place { schema: named("schema"), table };
        words.push(format!("--from-table {}", argument(&place.to_string())));
    }
    words.join(" ")
}

/// An argument as a shell takes it.
pub(crate) fn argument(text: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || "._-".contains(it);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Ending a session is a command too, which shows it first.
fn with_unlock(text: String) -> String {
    let Some((before, rest)) = text.split_once(END_SESSION) else { return text };
    let Some((_pid, after)) = rest.split_once(')') else { return text };
    format!("{before}`unlock`{after}")
}

/// `history_table("x")` becomes `--history-table x`.
fn option(method: &str) -> String {
    let (name, argument) = method.split_once('(').unwrap_or((method, ""));
    let argument = argument.trim_end_matches(')').trim_matches('"');
    if let Some(policy) = argument.strip_prefix("Policy::") {
        return format!("--{} {}", name.replace('_', "-"), policy.to_lowercase());
    }
    match name {
        // Behind the database.
        "roll_back" => match argument.rsplit('"').next() {
            Some(name) if !name.is_empty() => format!("down --to {}", self::argument(name)),
            _ => "down".to_owned(),
        },
        "adopt" | "mark" | "repair" => name.to_owned(),
        "without_log" => "--no-log".to_owned(),
        "rehearse" => "--server".to_owned(),
        _ => format!("--{} {argument}", name.replace('_', "-")).trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cargo;

    #[test]
    fn methods_become_options() {
        let said =
            "name the schema: `Migrator::history_schema(\"ops\")`, or `Migrator::without_log`; `x`";
        assert_eq!(
            for_commands(said),
            "name the schema: `--history-schema ops`, or `--no-log`; `x`"
        );
        assert_eq!(
            for_commands("more: `Migrator::lock_wait`; again"),
            "more: `--lock-wait`; again"
        );
        assert_eq!(
            for_commands("`cargo dunlin adopt`, `Migrator::on_changed(Policy::Announce)`"),
            "`adopt`, `--on-changed announce`"
        );
        assert_eq!(for_commands("cut `Migrator::off"), "cut `Migrator::off");
        assert_eq!(
            for_commands("`Migrator::roll_back(.., \"0002_a b\")`"),
            "`down --to '0002_a b'`"
        );
        assert_eq!(for_commands("end it: SELECT pg_terminate_backend(7)"), "end it: `unlock`");
        assert_eq!(
            for_commands("`Origin::new(Tool::GolangMigrate)`, `Origin::table(\"...\")`"),
            "`--from golang-migrate`, `--from-table ...`"
        );
        assert_eq!(
            for_commands("`Origin::new(Tool::Sqlx).schema(\"a\").table(\"B.c\")`"),
            "`--from sqlx --from-table 'a.\"B.c\"'`"
        );
    }

    /// What the runtime names in its messages, at the time of writing or later.
    #[test]
    fn every_method_that_the_runtime_names_has_its_option() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src");
        let mut program = Cargo::command();
        program.build();
        let options: Vec<String> = program
            .get_subcommands()
            .flat_map(clap::Command::get_arguments)
            .filter_map(|it| Some(format!("--{}", it.get_long()?)))
            .collect();
        let mut n_named = 0;
        let mut folders = vec![folder];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        for path in files {
            let text = std::fs::read_to_string(&path).unwrap();
            let is_code = |line: &&str| !line.trim_start().starts_with("//");
            for line in text.lines().filter(is_code) {
                for method in line.split(METHOD).skip(1) {
                    let method = method.split(['`', '(']).next().unwrap();
                    // A name may be put together: `history_{what}`.
                    let (known, rest) = method.split_once('{').unwrap_or((method, ""));
                    let option = option(known);
                    let is_command = program.find_subcommand(&option).is_some();
                    let is_option =
                        |it: &String| *it == option || !rest.is_empty() && it.starts_with(&option);
                    assert!(
                        is_command || options.iter().any(is_option),
                        "{method}: {}",
                        path.display()
                    );
                    n_named += 1;
                }
            }
        }
        assert!(n_named > 5, "the runtime's messages are not where they were");
    }
}
