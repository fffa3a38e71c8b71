//! The arguments, with the help that is printed and that the pages in `docs/cli/` are made of.
//!
//! **Invariant:** nothing is decided here. A field says what a person wrote.

mod database;
mod folder;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

pub(crate) use self::database::*;
pub(crate) use self::folder::*;

/// PostgreSQL migrations: write them, check them, see what a database has, and run them.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-dunlin",
    bin_name = "cargo dunlin",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    max_term_width = 100
)]
pub(crate) struct Cargo {
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: CargoCommand,
}

/// What `cargo dunlin` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum CargoCommand {
    New(New),
    Init(Init),
    Check(Check),
    Sum(Sum),
    Renumber(Renumber),
    #[command(flatten)]
    Database(DatabaseCommand),
    #[command(flatten)]
    About(AboutCommand),
}

/// Migrates this application's database, and shows what it has.
#[derive(Debug, Parser)]
#[command(
    version = None,
    arg_required_else_help = true,
    after_help = EXIT_CODES,
    max_term_width = 100
)]
pub(crate) struct Application {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: ApplicationCommand,
}

/// What an application's own binary can do.
#[derive(Debug, Subcommand)]
pub(crate) enum ApplicationCommand {
    Check(ApplicationCheck),
    #[command(flatten)]
    Database(DatabaseCommand),
    #[command(flatten)]
    About(AboutCommand),
}

/// Commands about the program itself.
#[derive(Debug, Subcommand)]
pub(crate) enum AboutCommand {
    Completions(Completions),
    Man(Man),
}

/// What all commands take.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Output {
    /// What the output looks like
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
    /// When to use colours; `NO_COLOR` counts with `auto`
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Colour,
}

/// What output looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    Human,
    /// One JSON document, described in docs/cli/json.md
    Json,
    /// Annotations of GitHub's workflows on file and line
    Github,
    /// SARIF 2.1.0, of `check` alone
    Sarif,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Print completions for a shell
///
/// Put them where your shell looks; for bash that is
/// `~/.local/share/bash-completion/completions/`, in a file called like the program.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin completions bash > ~/.local/share/bash-completion/completions/cargo-dunlin\n  cargo dunlin completions fish > ~/.config/fish/completions/cargo-dunlin.fish"
)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page
///
/// In roff, as `man` reads it: `cargo dunlin man > cargo-dunlin.1`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo dunlin man > cargo-dunlin.1\n  cargo dunlin man up | man -l -"
)]
pub(crate) struct Man {
    /// The page of one command instead of the one about all
    pub(crate) command: Option<String>,
}

/// The arguments of an application, with its own name in the examples.
pub(crate) fn application() -> clap::Command {
    let path = std::env::args_os().next().map(std::path::PathBuf::from).unwrap_or_default();
    let name = path.file_stem().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    Application::command().mut_subcommands(|it| {
        match it.get_after_help().map(ToString::to_string) {
            Some(examples) => it.after_help(examples.replace("cargo dunlin", &name)),
            None => it,
        }
    })
}

/// The exit codes, behind the help of the program.
const EXIT_CODES: &str = "\
Exit codes:
  0    what was asked is so, or was done
  1    the folder, or the build, has a problem
  2    the command line cannot be understood, or names what is not there
  3    migrations are pending, where that was asked about
  4    the database and the migrations disagree about what was applied
  5    the server cannot be reached, or refused, or a migration failed
  130  interrupted, or a question was answered with no";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cargo::command().debug_assert();
        Application::command().debug_assert();
    }

    #[test]
    fn a_connection_string_is_not_shown_with_the_arguments() {
        let arguments = ["dunlin", "up", "--database-url", "postgres://ana:secret@db/app"];
        let parsed = Cargo::try_parse_from(arguments).unwrap();
        assert!(!format!("{parsed:?}").contains("secret"));
    }

    #[test]
    fn the_help_names_every_exit_code() {
        let lines: Vec<_> =
            Exit::ALL.iter().map(|it| format!("  {:<4} {}", it.code(), it.meaning())).collect();
        assert_eq!(EXIT_CODES, format!("Exit codes:\n{}", lines.join("\n")));
    }
}
