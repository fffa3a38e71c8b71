//! Reading a `dunlin.sum`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FILE_NAME, HEADER, Line, Link, Sum};
use crate::checksum::Checksum;
use crate::diagnostic::{Diagnostic, Place};
use crate::rule::Rule;
use crate::source::{SourceFile, Span};

/// What is before the version of the format in the first line.
const HEADER_START: &str = "# dunlin.sum ";

impl Sum {
    /// Reads a sum.
    ///
    /// # Errors
    ///
    /// Every line that is none.
    pub fn read(file: &Arc<SourceFile>) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
        let mut start = 0;
        for (index, text) in file.text().split('\n').enumerate() {
            let span = Span::new(start, start + text.len());
            start = span.end + 1;
            if index == 0 {
                problems.extend(header_problem(file, span));
            }
            if let Some(problem) = conflict_mark(file, span) {
                // What is between the marks is two files at once.
                return Err(vec![problem]);
            }
            let indent = text.len() - text.trim_start().len();
            if text[indent..].is_empty() || text[indent..].starts_with('#') {
                continue;
            }
            match line(file.text(), Span::new(span.start + indent, span.end)) {
                Ok(line) => match by_name.get(&line.name) {
                    Some(&first) => problems.push(twice(file, &line, &lines[first])),
                    None => {
                        let _none = by_name.insert(line.name.clone(), lines.len());
                        lines.push(line);
                    }
                },
                Err(malformed) => problems.push(malformed.told(file)),
            }
        }
        if problems.is_empty() {
            Ok(Self { file: Arc::clone(file), lines, by_name })
        } else {
            Err(problems)
        }
    }
}

/// A line that is none.
struct Malformed {
    fact: String,
    span: Span,
}

impl Malformed {
    fn told(self, file: &Arc<SourceFile>) -> Diagnostic {
        Diagnostic::new(Rule::MalformedSum, self.fact)
            .at(Place::span(file, self.span, ""))
            .note("a line is 64 hexadecimal digits, a space, and the name of a migration")
            .help("take the line from version control again")
    }
}

fn line(text: &str, span: Span) -> Result<Line, Malformed> {
    let (digits, name) = span.text(text).split_once(' ').unwrap_or((span.text(text), ""));
    let malformed = |fact: &str, span: Span| Err(Malformed { fact: fact.to_owned(), span });
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if let Some((at, character)) =
        digits.char_indices().find(|(_, character)| !u8::try_from(*character).is_ok_and(is_digit))
    {
        let at = span.start + at;
        return malformed(
            "a character that is no hexadecimal digit in lower case",
            Span::new(at, at + character.len_utf8()),
        );
    }
    let Some(link) = from_hex(digits) else {
        let fact = format!("{} hexadecimal digits where 64 belong", digits.len());
        return malformed(&fact, Span::new(span.start, span.start + digits.len()));
    };
    if name.is_empty() {
        return malformed("a line without the name of a migration", span);
    }
    Ok(Line { link, name: name.to_owned(), span })
}

fn from_hex(digits: &str) -> Option<Link> {
    format!("sha256:{digits}").parse().ok().map(|checksum: Checksum| *checksum.as_bytes())
}

fn header_problem(file: &Arc<SourceFile>, span: Span) -> Option<Diagnostic> {
    let header = span.text(file.text()).trim_end();
    if header == HEADER {
        return None;
    }
    let problem = |headline: String| {
        Some(Diagnostic::new(Rule::MalformedSum, headline).at(Place::span(file, span, "")))
    };
    match header.strip_prefix(HEADER_START) {
        Some(version) => {
            let version = version.trim().escape_debug();
            problem(format!("a `{FILE_NAME}` of the format `{version}`")).map(|it| {
                it.note("this version of Dunlin knows format 1")
                    .help("build with the version of Dunlin that wrote it")
            })
        }
        // The marks of a merge are told as such.
        None if header.starts_with("<<<<<<<") => None,
        None => problem(format!("a `{FILE_NAME}` without its first line"))
            .map(|it| it.help(format!("write `{HEADER}` above everything else"))),
    }
}

fn conflict_mark(file: &Arc<SourceFile>, span: Span) -> Option<Diagnostic> {
    let text = span.text(file.text());
    let is_mark =
        ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|it| text.starts_with(it));
    is_mark.then(|| {
        Diagnostic::new(Rule::MalformedSum, "a merge that is not finished")
            .at(Place::span(file, span, ""))
            .note("both sides have recorded a migration, and somebody must decide which runs first")
            .help("remove the marks, keep the lines of both sides, and build: the message then shows the lines that are right")
    })
}

fn twice(file: &Arc<SourceFile>, line: &Line, first: &Line) -> Diagnostic {
    Diagnostic::new(Rule::MalformedSum, format!("`{}` is recorded twice", line.name))
        .at(Place::span(file, line.span, ""))
        .also(Place::span(file, first.span, "first here"))
        .help(
            "remove one of the two lines, and build: the message then shows the line that is right",
        )
}
