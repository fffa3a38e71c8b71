//! What a command has to say, before anybody decides what it looks like.
//!
//! **Invariant:** a command computes an answer and prints nothing; only [`output`](crate::output)
//! writes. What a run tells while it runs is the one exception, and goes through the
//! [`Screen`](crate::screen::Screen).

use dunlin::{Drift, ErrorKind};
use dunlin_core::{Diagnostic, Severity};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::commands::done;
use crate::drift;
use crate::exit::Exit;
use crate::wording::for_commands;

/// What a command answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) exit: Exit,
    /// What is wrong, each with its place.
    pub(crate) findings: Vec<Finding>,
    /// What a person reads.
    pub(crate) text: String,
    /// The same as fields, for programs.
    pub(crate) data: Map<String, Value>,
}

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: &'static str,
    /// The name of the rule, or of the kind of drift or error.
    pub(crate) rule: String,
    pub(crate) headline: String,
    pub(crate) path: Option<String>,
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    /// The whole message.
    pub(crate) text: String,
}

/// Why a command could not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) finding: Finding,
    /// Each place that it is about, where there are several.
    pub(crate) findings: Vec<Finding>,
    /// The server's SQLSTATE.
    pub(crate) sqlstate: Option<String>,
    pub(crate) data: Map<String, Value>,
}

/// What a command gives.
pub(crate) type Outcome = Result<Answer, Box<Failure>>;

impl Answer {
    /// Success, with what a person reads.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { exit: Exit::Ok, findings: Vec::new(), text: text.into(), data: Map::new() }
    }

    /// Another way to end.
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// A field for programs.
    pub(crate) fn field(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        let _none = self.data.insert(name.to_owned(), value);
        self
    }

    /// What is wrong.
    pub(crate) fn findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }
}

impl Finding {
    pub(crate) fn is_error(&self) -> bool {
        self.severity == "error"
    }
}

impl From<&Diagnostic> for Finding {
    fn from(it: &Diagnostic) -> Self {
        let location = it.place().map(|place| place.location());
        Self {
            severity: match it.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            rule: it.rule().id().to_owned(),
            headline: it.headline().to_owned(),
            path: it.place().map(|place| place.path().to_owned()),
            line: location.map(|it| it.line()),
            column: location.map(|it| it.column()),
            text: it.to_string(),
        }
    }
}

impl Failure {
    /// A failure with its headline; notes and helps follow.
    pub(crate) fn new(exit: Exit, headline: impl Into<String>) -> Self {
        let headline = headline.into();
        let finding = Finding {
            severity: "error",
            rule: exit.word().to_owned(),
            text: headline.clone(),
            headline,
            path: None,
            line: None,
            column: None,
        };
        Self { exit, finding, findings: Vec::new(), sqlstate: None, data: Map::new() }
    }

    /// What is wrong with the command line.
    pub(crate) fn usage(headline: impl Into<String>) -> Self {
        Self::new(Exit::Usage, headline)
    }

    /// Why it matters, or what was seen; before the helps.
    pub(crate) fn note(mut self, note: impl AsRef<str>) -> Self {
        let text = &mut self.finding.text;
        let at = text.find("\n  = help: ").unwrap_or(text.len());
        text.insert_str(at, &format!("\n  = note: {}", indented(note.as_ref())));
        self
    }

    /// One action that can be copied.
    pub(crate) fn help(mut self, help: impl AsRef<str>) -> Self {
        self.finding.text.push_str(&format!("\n  = help: {}", indented(help.as_ref())));
        self
    }
}

impl<T> From<Failure> for Result<T, Box<Failure>> {
    fn from(failure: Failure) -> Self {
        Err(Box::new(failure))
    }
}

impl From<dunlin::Error> for Box<Failure> {
    fn from(error: dunlin::Error) -> Self {
        Self::new(Failure::from_error(&error))
    }
}

impl Failure {
    /// The runtime's error, in its own words.
    pub(crate) fn from_error(error: &dunlin::Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::Drift | ErrorKind::Ahead | ErrorKind::OtherHistory => Exit::Drift,
            ErrorKind::Stale | ErrorKind::NoUndo => Exit::Folder,
            ErrorKind::Target => Exit::Usage,
            _ => Exit::Database,
        };
        let mut failure = Self::new(exit, error.to_string());
        failure.finding.text = for_commands(&format!("{error:#}"));
        failure.finding.rule = format!("{:?}", error.kind()).to_ascii_lowercase();
        if let Some((path, location)) = error.location() {
            failure.finding.path = Some(path.to_owned());
            failure.finding.line = Some(location.line());
            failure.finding.column = Some(location.column());
        }
        let mut field = |name: &str, value: Value| {
            let _none = failure.data.insert(name.to_owned(), value);
        };
        if let Some(report) = error.report() {
            field("done", done(report).into());
        }
        if !error.drift().is_empty() {
            field("drift", drift::fields(error.drift()).into());
            failure.findings = drift::findings(error.drift());
        }
        if error.drift().iter().any(can_be_repaired) {
            let help = "\nhelp: if the database has what the files say, and only the record is wrong: `repair`";
            failure.finding.text.push_str(help);
        }
        failure.sqlstate = error.code().map(|code| code.code().to_owned());
        failure
    }
}

/// What `repair` settles in favour of the files.
pub(crate) const fn can_be_repaired(drift: &Drift) -> bool {
    matches!(drift, Drift::Changed { .. } | Drift::Renamed { .. })
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n          ")
}
