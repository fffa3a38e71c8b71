//! Files that hold a migration and its undo, divided by marker lines.
//!
//! goose, dbmate and sql-migrate differ in how they write the markers and in what they let pass; what
//! the markers mean is here.
//!
//! **Invariant:** a section's text has each of its lines where the file has it, so that a place in the
//! section is a place in the file. Lines of the other section are left blank.

use std::sync::Arc;

use super::Layout;
use crate::checksum::Checksum;
use crate::diagnostic::{Diagnostic, Place};
use crate::lexer::{TokenKind, lex};
use crate::rule::Rule;
use crate::source::{SourceFile, Span};

/// How a tool marks the sections of a file.
pub(crate) trait Markers {
    /// Whose markers they are.
    const LAYOUT: Layout;
    /// The line that begins the migration, as the tool's manual writes it; empty when the migration
    /// is whatever stands above the undo.
    const UP: &'static str;
    /// The line that begins the undo.
    const DOWN: &'static str;
    /// Whether a file may have several sections of a kind; what one of them says of transactions then
    /// holds for all.
    const REPEATS: bool;
    /// Whether the undo may stand first.
    const DOWN_MAY_BE_FIRST: bool;

    /// What a line is; nothing when it is no marker.
    fn read(line: Line<'_>) -> Option<Result<Marker, Box<Diagnostic>>>;
}

/// A line of a file with sections.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    /// The line without its end.
    pub(crate) span: Span,
    pub(crate) text: &'a str,
}

/// What a marker line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Up {
        transaction: bool,
    },
    Down {
        transaction: bool,
    },
    /// The whole file runs outside a transaction.
    NoTransaction,
    /// This section runs outside a transaction.
    NoTransactionHere,
    StatementBegin,
    StatementEnd,
    /// Known, and without a meaning here.
    Other,
}

/// The sections of a file.
#[derive(Debug)]
pub(crate) struct Sections {
    /// The migration; the head of the file belongs to it.
    pub(crate) up: Section,
    /// The undo, if there is a marker for it.
    pub(crate) down: Option<Section>,
}

/// A section of a file.
#[derive(Debug)]
pub(crate) struct Section {
    /// Its lines, each where it stands in the file.
    pub(crate) text: String,
    /// The checksum of its lines alone, without blank ones at the end.
    pub(crate) checksum: Checksum,
    /// Whether it runs in a transaction.
    pub(crate) transaction: bool,
}

impl<'a> Line<'a> {
    /// The lines of a file.
    pub(crate) fn all(file: &'a Arc<SourceFile>) -> impl Iterator<Item = Self> {
        let mut start = 0;
        file.text().split('\n').map(move |text| {
            let span = Span::new(start, start + text.len());
            start = span.end + 1;
            Self { file, span, text }
        })
    }

    /// A part of the line as a place.
    pub(crate) fn place(self, part: &str, label: impl Into<String>) -> Place {
        let start =
            self.span.start + part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        Place::span(self.file, Span::new(start, start + part.len()), label)
    }

    /// The line as a place, without the blanks around it.
    pub(crate) fn whole(self) -> Place {
        self.place(self.text.trim(), "")
    }

    fn is_comment_or_blank(self) -> bool {
        self.text.trim().is_empty() || self.text.trim_start().starts_with("--")
    }
}

/// A problem with a marker.
pub(crate) fn problem(headline: impl Into<String>, at: Place) -> Diagnostic {
    Diagnostic::new(Rule::SectionMarker, headline).at(at)
}

/// Cuts a file into its sections.
pub(crate) fn cut<M: Markers>(
    file: &Arc<SourceFile>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Sections {
    let mut cutter = Cutter::<M>::new(file, diagnostics);
    for line in Line::all(file) {
        cutter.line(line);
    }
    cutter.finish()
}

/// The section a line belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Head,
    Up,
    Down,
}

struct Cutter<'a, 'd, M> {
    file: &'a Arc<SourceFile>,
    diagnostics: &'d mut Vec<Diagnostic>,
    side: Side,
    up: Draft,
    down: Draft,
    /// Where the first marker of each kind stands.
    up_at: Option<Line<'a>>,
    down_at: Option<Line<'a>>,
    /// Where the statement begins whose end is not yet marked.
    begun: Option<Line<'a>>,
    has_told_of_head: bool,
    /// Whether a line that is almost a marker was told, which may be the one that is missing.
    has_told_of_marker: bool,
    no_transaction: bool,
    _markers: std::marker::PhantomData<M>,
}

/// A section that grows.
#[derive(Default)]
struct Draft {
    text: String,
    hashed: String,
    no_transaction: bool,
}

impl Draft {
    fn add(&mut self, line: &str, run: &str) {
        self.text.push_str(run);
        self.text.push('\n');
        self.hashed.push_str(line);
        self.hashed.push('\n');
    }

    fn skip(&mut self) {
        self.text.push('\n');
    }

    fn finish(self, no_transaction: bool) -> Section {
        let ended = |text: &str| match text.trim_end() {
            "" => String::new(),
            text => format!("{text}\n"),
        };
        Section {
            text: ended(&self.text),
            checksum: Checksum::of(&ended(&self.hashed)),
            transaction: !self.no_transaction && !no_transaction,
        }
    }
}

impl<'a, 'd, M: Markers> Cutter<'a, 'd, M> {
    fn new(file: &'a Arc<SourceFile>, diagnostics: &'d mut Vec<Diagnostic>) -> Self {
        Self {
            file,
            diagnostics,
            side: if M::UP.is_empty() { Side::Up } else { Side::Head },
            up: Draft::default(),
            down: Draft::default(),
            up_at: None,
            down_at: None,
            begun: None,
            has_told_of_head: false,
            has_told_of_marker: false,
            no_transaction: false,
            _markers: std::marker::PhantomData,
        }
    }

    fn line(&mut self, line: Line<'a>) {
        let mut run = line.text;
        match M::read(line) {
            None => self.statement(line),
            Some(Err(problem)) => {
                self.has_told_of_marker = true;
                self.diagnostics.push(*problem);
            }
            Some(Ok(Marker::Up { transaction })) => self.begin_up(line, transaction),
            Some(Ok(Marker::Down { transaction })) => self.begin_down(line, transaction),
            Some(Ok(Marker::NoTransaction)) => self.no_transaction = true,
            Some(Ok(Marker::NoTransactionHere)) => self.own().0.no_transaction = true,
            Some(Ok(Marker::StatementBegin)) => self.begin_statement(line),
            Some(Ok(Marker::StatementEnd)) if self.end_statement(line) => run = ";",
            Some(Ok(Marker::StatementEnd | Marker::Other)) => {}
        }
        let (own, other) = self.own();
        own.add(line.text, run);
        other.skip();
    }

    /// The section the present line belongs to, and the other one.
    const fn own(&mut self) -> (&mut Draft, &mut Draft) {
        match self.side {
            Side::Head | Side::Up => (&mut self.up, &mut self.down),
            Side::Down => (&mut self.down, &mut self.up),
        }
    }

    /// The tools differ in what they do with a statement above the first marker: refuse the file, or
    /// pass the statement over.
    fn statement(&mut self, line: Line<'a>) {
        if self.side == Side::Head && !line.is_comment_or_blank() && !self.has_told_of_head {
            self.has_told_of_head = true;
            // Without any marker, that is what is to be told.
            if Line::all(self.file).any(|line| matches!(M::read(line), Some(Ok(Marker::Up { .. }))))
            {
                self.diagnostics.push(
                    problem(format!("a statement above `{}`", M::UP), line.whole())
                        .note("only what stands below the marker is the migration")
                        .help(format!("move the line `{}` above it", M::UP)),
                );
            }
        }
    }

    fn begin_up(&mut self, line: Line<'a>, transaction: bool) {
        self.leave_statement();
        match self.up_at {
            Some(first) if !M::REPEATS => self.diagnostics.push(
                problem(format!("a second `{}`", M::UP), line.whole())
                    .also(first.whole())
                    .help("remove one of them, or give the second migration a file of its own"),
            ),
            Some(_) => {}
            None => self.up_at = Some(line),
        }
        self.up.no_transaction |= !transaction;
        self.side = Side::Up;
    }

    fn begin_down(&mut self, line: Line<'a>, transaction: bool) {
        self.leave_statement();
        match self.down_at {
            Some(first) if !M::REPEATS => self.diagnostics.push(
                problem(format!("a second `{}`", M::DOWN), line.whole())
                    .also(first.whole())
                    .help("remove one of them"),
            ),
            Some(_) => {}
            None => self.down_at = Some(line),
        }
        if self.up_at.is_none() && !M::DOWN_MAY_BE_FIRST && !M::UP.is_empty() {
            self.diagnostics.push(
                problem(format!("`{}` above `{}`", M::DOWN, M::UP), line.whole())
                    .help("move the undo to the end of the file"),
            );
        }
        self.down.no_transaction |= !transaction;
        self.side = Side::Down;
    }

    fn begin_statement(&mut self, line: Line<'a>) {
        if self.side == Side::Head {
            self.diagnostics.push(
                problem(format!("`StatementBegin` above `{}`", M::UP), line.whole())
                    .help(format!("move the line `{}` above it", M::UP)),
            );
        }
        self.leave_statement();
        self.begun = Some(line);
    }

    /// Ends a statement; tells whether it lacks its `;`, which the tool does not need here.
    fn end_statement(&mut self, line: Line<'a>) -> bool {
        let Some(begun) = self.begun.take() else {
            self.diagnostics.push(
                problem("`StatementEnd` without its `StatementBegin`", line.whole())
                    .help("remove it, or mark where the statement begins"),
            );
            return false;
        };
        let sql = &self.file.text()[begun.span.end..line.span.start];
        let lexed = lex(sql);
        let last = lexed.tokens.iter().rfind(|token| !token.is_trivia());
        last.is_some_and(|token| token.kind != TokenKind::Semicolon)
    }

    /// A section or a statement that begins inside a statement, or a file that ends there.
    fn leave_statement(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.diagnostics.push(
                problem("`StatementBegin` without its `StatementEnd`", begun.whole())
                    .help("mark where the statement ends"),
            );
        }
    }

    fn finish(mut self) -> Sections {
        self.leave_statement();
        let is_known = M::UP.is_empty() || self.up_at.is_some() || self.has_told_of_marker;
        if !is_known && (self.down_at.is_none() || M::DOWN_MAY_BE_FIRST) {
            let at = Place::file(self.file.path());
            self.diagnostics.push(
                problem(format!("a migration without `{}`", M::UP), at)
                    .note(format!(
                        "the folder is read as one of {}, which refuses a file without the marker",
                        M::LAYOUT.tool()
                    ))
                    .help(format!("write `{}` above its first statement", M::UP))
                    .help("or say whose the folder is: embed_migrations!(\"...\", layout = \"dunlin\")"),
            );
        }
        let no_transaction = self.no_transaction;
        Sections {
            up: self.up.finish(no_transaction),
            down: self.down_at.map(|_| self.down.finish(no_transaction)),
        }
    }
}
