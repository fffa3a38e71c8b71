//! The pages about the commands, in Markdown, made of the same source as `--help`.

use clap::{Arg, Command};

use crate::exit::Exit;

const MADE: &str =
    "<!-- Made from the code: UPDATE_EXPECT=1 cargo test -p cargo-dunlin --test pages -->\n\n";

/// A page for each command, and one about all.
pub(crate) fn of(mut program: Command) -> Vec<(String, String)> {
    program.build();
    let commands: Vec<_> =
        program.get_subcommands().filter(|it| it.get_name() != "help").cloned().collect();
    let mut pages = vec![("README.md".to_owned(), index(&program, &commands))];
    let page_of = |it: &Command| (format!("{}.md", it.get_name()), page(&program, it));
    pages.extend(commands.iter().map(page_of));
    pages
}

fn index(program: &Command, commands: &[Command]) -> String {
    let mut text = format!("{MADE}# `cargo dunlin`\n\n{}\n\n", sentence(program));
    text.push_str("| command | what it does |\n| --- | --- |\n");
    for command in commands {
        let name = command.get_name();
        text.push_str(&format!("| [`{name}`]({name}.md) | {} |\n", about(command)));
    }
    text.push_str(
        "\nAn application's own binary has the commands on a database too: `dunlin_cli::run(&MIGRATIONS)`.\n\
         \n## Exit codes\n\n| code | in JSON | meaning |\n| --- | --- | --- |\n",
    );
    for exit in Exit::ALL {
        text.push_str(&format!("| {} | `{exit}` | {} |\n", exit.code(), exit.meaning()));
    }
    text.push_str("\n## Options of all commands\n\n");
    let mut options: Vec<_> = program.get_arguments().filter(|it| it.is_global_set()).collect();
    options.sort_by_key(|it| it.get_help_heading().map(str::to_owned));
    text.push_str(&table(options.into_iter()));
    text.push_str("\n[json.md](json.md) describes `--format json`.\n");
    text
}

fn page(program: &Command, command: &Command) -> String {
    let name = command.get_name();
    let mut text = format!("{MADE}# `cargo dunlin {name}`\n\n{}.\n", about(command));
    let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    if let Some((_, rest)) = long.split_once("\n\n") {
        text.push_str(&format!("\n{}\n", rest.replace(". ", ".\n")));
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    text.push_str(&format!("\n```sh\n{usage}\n```\n"));
    if let Some(example) = command.get_after_help().map(ToString::to_string) {
        let example = example.trim_start_matches("Examples:\n");
        let lines: Vec<_> = example.lines().map(str::trim).collect();
        let example = lines.join("\n");
        text.push_str(&format!("\nFor example:\n\n```sh\n{example}\n```\n"));
    }
    let is_own = |it: &&Arg| {
        let is_global = program.get_arguments().any(|other| other.get_id() == it.get_id());
        !is_global && it.get_id() != "help" && it.get_id() != "version"
    };
    let own: Vec<_> = command.get_arguments().filter(is_own).collect();
    if !own.is_empty() {
        text.push_str(&format!("\n{}", table(own.into_iter())));
    }
    text.push_str("\n[Options of all commands, and exit codes](README.md)\n");
    text
}

fn table<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let mut text = "| argument | meaning |\n| --- | --- |\n".to_owned();
    for argument in arguments {
        text.push_str(&format!("| `{}` | {} |\n", written(argument), meaning(argument)));
    }
    text
}

/// `--timeout <SECONDS>`
fn written(argument: &Arg) -> String {
    let value = argument.get_value_names().and_then(|it| it.first()).map(ToString::to_string);
    let takes = argument.get_action().takes_values();
    let may_be_left_out = argument.get_num_args().is_some_and(|it| it.min_values() == 0);
    match (argument.get_long(), value.filter(|_| takes)) {
        (Some(long), Some(value)) if may_be_left_out => format!("--{long} [<{value}>]"),
        (Some(long), Some(value)) => format!("--{long} <{value}>"),
        (Some(long), None) => format!("--{long}"),
        (None, value) => format!("<{}>", value.unwrap_or_default()),
    }
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    let mut text = help.map(ToString::to_string).unwrap_or_default().replace("\n\n", ". ");
    let values: Vec<_> = argument.get_possible_values();
    let values: Vec<_> = values.iter().filter(|it| !it.is_hide_set()).collect();
    if argument.get_action().takes_values() && !values.is_empty() {
        let values: Vec<_> = values
            .iter()
            .map(|it| {
                let help = it.get_help().map(|it| format!(" ({it})")).unwrap_or_default();
                format!("`{}`{help}", it.get_name())
            })
            .collect();
        text.push_str(&format!(": {}", values.join(", ")));
    }
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|it| it.to_string_lossy()).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        text.push_str(&format!("; {} by default", defaults.join(", ")));
    }
    text.replace('\n', " ").replace('|', "\\|")
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn sentence(command: &Command) -> String {
    format!("{}.", about(command).trim_end_matches('.'))
}
