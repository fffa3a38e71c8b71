//! `new`: begins the next migration.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use dunlin_core::Rule;
use dunlin_core::draft::Wish;
use dunlin_core::source::normalise;
use dunlin_core::sum::{self, FILE_NAME};

use super::check::finding;
use crate::answer::{Answer, Failure, Outcome};
use crate::args::New;
use crate::exit::Exit;
use crate::folder::Source;
use crate::moment;

pub(crate) fn new(args: &New, source: &Source) -> Outcome {
    let reading = source.read();
    // A folder with a mistake in some file has an order all the same; one that cannot be read, or
    // whose kind is not known, has none.
    let in_the_way = reading.errors().find(|it| {
        matches!(
            it.rule(),
            Rule::MissingFolder | Rule::Unreadable | Rule::AmbiguousLayout | Rule::MixedVersions
        )
    });
    if let Some(problem) = in_the_way {
        let findings = vec![finding(source, problem.clone())];
        return Ok(Answer::new("nothing was written\n").exit(Exit::Folder).findings(findings));
    }
    let words = args.name.join(" ");
    let wish = Wish { words: &words, rust: args.rust, undo: args.down, moment: moment::now() };
    let draft = reading
        .folder
        .draft(wish)
        .map_err(|text| Box::new(Failure::usage(text).note("nothing was written")))?;
    let mut files = Vec::new();
    for file in &draft.files {
        create(&source.path.join(&file.path), &file.text)?;
        files.push(format!("{}/{}", source.shown, file.path));
    }
    let mut text: String = files.iter().map(|file| format!("created {file}\n")).collect();
    if reading.folder.sum().is_some() {
        begin(source, &draft.name)?;
        text.push_str(&format!(
            "begun in {}/{FILE_NAME}; when it is released, `cargo dunlin sum` records it\n",
            source.shown
        ));
    }
    Ok(Answer::new(text).field("name", draft.name).field("files", files))
}

/// Notes in `dunlin.sum` that a migration is begun, so that another branch that begins one conflicts.
fn begin(source: &Source, name: &str) -> Result<(), Box<Failure>> {
    let path = source.path.join(FILE_NAME);
    let text = fs::read_to_string(&path).map(|it| sum::begin(&normalise(&it), name));
    text.and_then(|text| fs::write(&path, text)).map_err(|error| {
        Box::new(
            Failure::new(Exit::Folder, format!("`{FILE_NAME}` cannot be written: {error}"))
                .note("the files of the migration are written"),
        )
    })
}

/// Writes a file that is not there.
pub(super) fn create(path: &Path, text: &str) -> Result<(), Box<Failure>> {
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| OpenOptions::new().write(true).create_new(true).open(path))
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Box::new(Failure::new(
            Exit::Folder,
            format!("`{}` cannot be written: {error}", path.display()),
        ))
    })
}
