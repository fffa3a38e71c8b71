//! `init`: what a package needs to begin with migrations.
//!
//! **Invariant:** a file that is there is not changed, except that a line is added to the end of
//! `.gitattributes`.

use std::fs;
use std::path::Path;

use dunlin_core::draft::Wish;
use serde::Serialize;

use super::new::create;
use crate::answer::{Answer, Failure, Outcome};
use crate::exit::Exit;
use crate::folder::{Source, here};
use crate::moment;

/// What became of a file.
#[derive(Debug, Serialize)]
struct Step {
    path: String,
    /// `created`, `changed`, `kept` or `lacks`.
    did: &'static str,
    /// The line it lacks.
    line: Option<String>,
}

pub(crate) fn init(source: &Source) -> Outcome {
    let folder = if source.shown.is_empty() { "migrations" } else { &source.shown };
    let mut steps = vec![first_migration(source)?];
    let is_package = Path::new("Cargo.toml").is_file();
    if is_package {
        steps.push(build_script(folder)?);
    }
    steps.push(attributes(folder)?);
    let mut text: String = steps.iter().map(told).collect();
    if !is_package {
        text.push_str(&format!(
            "there is no Cargo.toml in `{}`; the package that embeds the folder needs a build.rs with\n    {}\n",
            here().display(),
            watch(folder)
        ));
    }
    text.push_str(&format!(
        "\nnext: write the first migration, and embed the folder:\n    \
         static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!(\"{folder}\");\n\
         `cargo dunlin check` says what the build will say, and `cargo dunlin up` applies it\n"
    ));
    Ok(Answer::new(text).field("folder", folder).field("steps", steps))
}

fn told(step: &Step) -> String {
    let Step { path, did, line } = step;
    match line {
        Some(line) if *did == "lacks" => format!("kept {path}, which lacks the line\n    {line}\n"),
        Some(line) => format!("{did} {path}: added `{line}`\n"),
        None => format!("{did} {path}\n"),
    }
}

fn first_migration(source: &Source) -> Result<Step, Box<Failure>> {
    fs::create_dir_all(&source.path).map_err(|error| {
        Box::new(Failure::new(
            Exit::Folder,
            format!("the folder `{}` cannot be made: {error}", source.shown),
        ))
    })?;
    let folder = source.read().folder;
    if !folder.migrations().is_empty() {
        return Ok(Step { path: source.shown.clone(), did: "kept", line: None });
    }
    let wish = Wish { words: "begin", rust: false, undo: false, moment: moment::now() };
    let draft = folder.draft(wish).map_err(|text| Box::new(Failure::usage(text)))?;
    let mut created = String::new();
    for file in &draft.files {
        create(&source.path.join(&file.path), &file.text)?;
        created = format!("{}/{}", source.shown, file.path);
    }
    Ok(Step { path: created, did: "created", line: None })
}

fn watch(folder: &str) -> String {
    format!("println!(\"cargo::rerun-if-changed={folder}\");")
}

fn build_script(folder: &str) -> Result<Step, Box<Failure>> {
    let (path, line) = ("build.rs", watch(folder));
    let step = |did, line| Ok(Step { path: path.to_owned(), did, line });
    match fs::read_to_string(path) {
        Ok(text) if text.contains(&format!("rerun-if-changed={folder}")) => step("kept", None),
        // What is inside of somebody's `main` is theirs.
        Ok(_) => step("lacks", Some(line)),
        Err(_) => {
            let text =
                format!("//! Has cargo notice new migrations.\n\nfn main() {{\n    {line}\n}}\n");
            create(Path::new(path), &text)?;
            step("created", None)
        }
    }
}

/// Line ends do not count for checksums; they count for diffs, and for what people see.
fn attributes(folder: &str) -> Result<Step, Box<Failure>> {
    let (path, line) = (".gitattributes", format!("{folder}/** text eol=lf"));
    let step = |did, line| Ok(Step { path: path.to_owned(), did, line });
    match fs::read_to_string(path) {
        Ok(text) if text.lines().any(|it| it.trim() == line) => step("kept", None),
        Ok(text) => {
            let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            fs::write(path, format!("{text}{line_end}{line}\n")).map_err(|error| {
                Box::new(Failure::new(Exit::Folder, format!("`{path}` cannot be written: {error}")))
            })?;
            step("changed", Some(line))
        }
        Err(_) => {
            create(Path::new(path), &format!("{line}\n"))?;
            step("created", None)
        }
    }
}
