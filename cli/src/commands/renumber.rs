//! `renumber`: moves a branch's own migrations behind those of another one.

use std::fs;

use dunlin_core::base::{Base, Renaming};
use dunlin_core::folder::record;
use dunlin_core::sum::{FILE_NAME, begun_as};
use dunlin_core::{Folder, Rule};
use serde_json::json;

use super::check::{finding, migrations};
use crate::answer::{Answer, Failure, Outcome};
use crate::args::Renumber;
use crate::exit::Exit;
use crate::folder::Source;
use crate::git::{self, Branch};
use crate::moment;

pub(crate) fn renumber(args: &Renumber, source: &Source) -> Outcome {
    let reading = source.read();
    if let Some(problem) = reading.errors().find(|it| it.rule() == Rule::MissingFolder) {
        let findings = vec![finding(source, problem.clone())];
        return Ok(Answer::new("").exit(Exit::Folder).findings(findings));
    }
    let branch = git::branch(source, &args.base)?;
    let base = Base { name: &args.base, released: &branch.released, began: branch.began.as_ref() };
    let renamings = base
        .renumber(&reading.folder, moment::now())
        .map_err(|text| Box::new(Failure::usage(text).note("nothing was renamed")))?;
    let taken = renamings.iter().flat_map(|it| &it.paths).find(|(_, new)| {
        new.exists() && !renamings.iter().flat_map(|it| &it.paths).any(|(old, _)| old == new)
    });
    if let Some((_, new)) = taken {
        return Failure::new(Exit::Folder, format!("`{}` is there already", new.display()))
            .note("nothing was renamed")
            .into();
    }
    let mut text: String =
        renamings.iter().map(|it| format!("{} -> {}\n", it.old, it.new)).collect();
    if renamings.is_empty() {
        text = format!("everything of its own comes behind `{}`\n", args.base);
    } else if args.dry_run {
        text.push_str("nothing was renamed\n");
    } else {
        rename(&renamings)?;
        if is_recorded(&reading.folder, source, &renamings) {
            text.push_str(&record_anew(source, &branch)?);
        } else if reading.folder.sum().is_some() {
            begin_anew(source, &renamings)?;
        }
        text.push_str(&format!("renamed {}\n", migrations(renamings.len())));
    }
    let list: Vec<_> = renamings.iter().map(|it| json!({ "from": it.old, "to": it.new })).collect();
    Ok(Answer::new(text).field("renamed", list).field("dry_run", args.dry_run))
}

/// The last one first, so that no file takes the name of one that is still to move.
fn rename(renamings: &[Renaming]) -> Result<(), Box<Failure>> {
    for (old, new) in renamings.iter().rev().flat_map(|it| &it.paths) {
        fs::rename(old, new).map_err(|error| {
            Box::new(Failure::new(
                Exit::Folder,
                format!("`{}` cannot be renamed: {error}", old.display()),
            ))
        })?;
    }
    Ok(())
}

/// What is begun has its new name in `dunlin.sum` too.
fn begin_anew(source: &Source, renamings: &[Renaming]) -> Result<(), Box<Failure>> {
    let path = source.path.join(FILE_NAME);
    let renamed = fs::read_to_string(&path).map(|text| {
        // The last one first, as the files: a name that is taken is given up before.
        renamings.iter().rev().fold(text, |text, it| begun_as(&text, &it.old, &it.new))
    });
    renamed.and_then(|text| fs::write(&path, text)).map_err(|error| {
        Box::new(
            Failure::new(Exit::Folder, format!("`{FILE_NAME}` cannot be written: {error}"))
                .note("the migrations are renamed"),
        )
    })
}

/// Whether the folder's `dunlin.sum` holds what was renamed.
fn is_recorded(folder: &Folder, source: &Source, renamings: &[Renaming]) -> bool {
    let text = folder.sum().and_then(|_| fs::read_to_string(source.path.join(FILE_NAME)).ok());
    text.is_some_and(|text| {
        let mut names = text.lines().filter_map(|line| line.split_once(' ')).map(|(_, name)| name);
        names.any(|name| renamings.iter().any(|it| it.old == name.trim()))
    })
}

/// The base's sum, and what comes behind it.
fn record_anew(source: &Source, branch: &Branch) -> Result<String, Box<Failure>> {
    let path = source.path.join(FILE_NAME);
    let written = match &branch.sum {
        Some(sum) => fs::write(&path, sum),
        None => fs::remove_file(&path),
    };
    let failure = |text: String| {
        Box::new(
            Failure::new(Exit::Folder, text)
                .note("the migrations are renamed")
                .help("cargo dunlin sum"),
        )
    };
    written.map_err(|error| failure(format!("`{FILE_NAME}` cannot be written: {error}")))?;
    match record(&source.path, &source.shown, &source.options) {
        Ok(n) => Ok(format!("recorded {} anew in `{FILE_NAME}`\n", migrations(n))),
        Err(problems) => Err(failure(format!(
            "nothing was recorded in `{FILE_NAME}`: {}",
            problems.first().map_or("", |it| it.headline())
        ))),
    }
}
