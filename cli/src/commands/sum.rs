//! `sum`: records what is released.

use dunlin_core::folder::record;
use dunlin_core::sum::FILE_NAME;

use super::check::{finding, migrations};
use crate::answer::{Answer, Outcome};
use crate::exit::Exit;
use crate::folder::Source;

pub(crate) fn sum(source: &Source) -> Outcome {
    let file = format!("{}/{FILE_NAME}", source.shown);
    let recorded = record(&source.path, &source.shown, &source.options);
    Ok(match recorded {
        Ok(n_new) => {
            let text = match n_new {
                0 => format!("`{file}` records everything already\n"),
                n => format!("recorded {} in `{file}`\n", migrations(n)),
            };
            Answer::new(text).field("file", file).field("recorded", n_new)
        }
        Err(problems) => {
            let findings = problems.into_iter().map(|it| finding(source, it)).collect();
            Answer::new("nothing was recorded\n")
                .exit(Exit::Folder)
                .findings(findings)
                .field("file", file)
                .field("recorded", 0)
        }
    })
}
