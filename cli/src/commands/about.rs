//! `completions` and `man`: the program about itself.

use clap::Command;
use dunlin_core::suggest::nearest;

use crate::answer::{Answer, Failure, Outcome};
use crate::args::{AboutCommand, Man};

pub(crate) fn about(command: &AboutCommand, program: Command) -> Outcome {
    match command {
        AboutCommand::Completions(args) => {
            let mut text = Vec::new();
            // cargo's own completions know nothing of the words behind `cargo dunlin`.
            let name = program.get_name().to_owned();
            clap_complete::generate(args.shell, &mut { program }, name, &mut text);
            Ok(told("script", &text))
        }
        AboutCommand::Man(args) => man(args, program),
    }
}

fn man(args: &Man, mut program: Command) -> Outcome {
    program.build();
    let wanted = match &args.command {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            let found = found.ok_or_else(|| no_command(name, &program))?;
            let whole = format!("{}-{name}", program.get_name());
            found.name(whole)
        }
    };
    let mut text = Vec::new();
    match clap_mangen::Man::new(wanted).render(&mut text) {
        Ok(()) => Ok(told("page", &text)),
        Err(error) => Failure::usage(format!("the page cannot be made: {error}")).into(),
    }
}

fn no_command(name: &str, program: &Command) -> Box<Failure> {
    let known: Vec<_> = program.get_subcommands().map(Command::get_name).collect();
    let failure = Failure::usage(format!("there is no command `{name}`"));
    Box::new(match nearest(name, &known) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.note(format!("the commands are {}", known.join(", "))),
    })
}

fn told(field: &str, text: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(text);
    Answer::new(text.clone()).field(field, text)
}
