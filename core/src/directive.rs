//! Directives: comment lines `-- dunlin: <word> [value]` at the head of a file.
//!
//! **Invariant:** a comment that could be meant as a directive is obeyed or is an error. A mistyped
//! directive that counts as prose would silently run the file in another way than its author wrote.

use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Place};
use crate::levels::FIXED;
use crate::lexer::{Token, TokenKind};
use crate::rule::{DefaultLevel, Rule};
use crate::source::{SourceFile, Span};
use crate::suggest::nearest;

const NO_TRANSACTION: &str = "no-transaction";
const ALLOW: &str = "allow";
const SYNTAX: &str = "syntax";
const BREAKING: &str = "breaking";
const LOCK_TIMEOUT: &str = "lock-timeout";
const OFF: &str = "off";
const WORDS: &[&str] = &[NO_TRANSACTION, BREAKING, LOCK_TIMEOUT, ALLOW, SYNTAX];
/// Those that mean something for a migration in Rust.
const WORDS_IN_RUST: &[&str] = &[BREAKING, LOCK_TIMEOUT];

/// What the head of a file asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `no-transaction`: the statements run one by one, outside a transaction.
    pub no_transaction: bool,
    /// `breaking`: an older build cannot work with a database that has this migration.
    pub breaking: bool,
    /// `lock-timeout <time>`: how long one of its statements may wait for a lock. Zero, written `off`,
    /// is without limit.
    pub lock_timeout: Option<Duration>,
    /// `allow <rule>: <reason>`: what is not told of this file.
    pub allowances: Vec<Allowance>,
    /// `syntax off`: no statement is checked against PostgreSQL's grammar.
    pub syntax_off: bool,
    /// The same behind the first statement, so each for the one below it: the comments.
    pub syntax_off_at: Vec<Span>,
}

impl Directives {
    /// Takes for granted what a line that is wrong was meant to say, so that one mistake is one error:
    /// everything that cannot run in a transaction would be another.
    fn assume(&mut self, word: &str) {
        self.no_transaction |= word == NO_TRANSACTION;
    }
}

/// One `-- dunlin: allow <rule>: <reason>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The rule whose findings in this file are meant.
    pub rule: Rule,
    /// Why they are.
    pub reason: String,
    /// The directive, from `dunlin` to the end of its line.
    pub span: Span,
}

/// Reads the directives of a SQL file.
#[must_use]
pub fn read(file: &Arc<SourceFile>, tokens: &[Token]) -> (Directives, Vec<Diagnostic>) {
    let mut directives = Directives::default();
    let mut problems = Vec::new();
    let mut in_head = true;
    for token in tokens {
        in_head &= token.is_trivia();
        if token.kind == TokenKind::BlockComment {
            problems.extend(in_block(file, token.span, &mut directives));
        }
        if token.kind != TokenKind::LineComment {
            continue;
        }
        let Some(found) = Found::in_comment(file.text(), token.span) else { continue };
        if found.word == SYNTAX && found.has_colon {
            match off(file, &found) {
                Some(problem) => problems.push(problem),
                None if in_head => directives.syntax_off = true,
                None => directives.syntax_off_at.push(token.span),
            }
        } else if !in_head {
            directives.assume(found.word);
            problems.push(misplaced(file, &found));
        } else {
            problems.extend(obey(file, &found, &mut directives));
        }
    }
    (directives, problems)
}

/// Reads the directives of a migration in Rust: line comments above its first item.
#[must_use]
pub fn read_rust(file: &Arc<SourceFile>) -> (Directives, Vec<Diagnostic>) {
    let mut directives = Directives::default();
    let mut problems = Vec::new();
    let (mut in_head, mut start) = (true, 0);
    for line in file.text().split_inclusive('\n') {
        let span = Span::new(start, start + line.trim_end().len());
        start += line.len();
        let is_comment = line.trim_start().starts_with("//");
        in_head &= is_comment || line.trim().is_empty() || line.trim_start().starts_with("#!");
        let Some(found) = Found::in_comment(file.text(), span).filter(|_| is_comment) else {
            continue;
        };
        if !in_head {
            problems.push(misplaced(file, &found));
        } else if WORDS.contains(&found.word) && !WORDS_IN_RUST.contains(&found.word) {
            let headline =
                format!("the directive `{}` says nothing in a migration in Rust", found.word);
            let place = Place::span(file, found.whole, "");
            problems.push(
                Diagnostic::new(Rule::UnknownDirective, headline)
                    .at(place)
                    .note(format!("those that do are: {}", WORDS_IN_RUST.join(", ")))
                    .help("remove this line"),
            );
        } else {
            problems.extend(obey(file, &found, &mut directives));
        }
    }
    (directives, problems)
}

/// What is wrong with a block comment that is meant as a directive.
fn in_block(
    file: &Arc<SourceFile>,
    comment: Span,
    directives: &mut Directives,
) -> Option<Diagnostic> {
    let text = comment.text(file.text());
    let body = text.strip_prefix("/*").unwrap_or(text);
    let body = body.strip_suffix("*/").unwrap_or(body).trim_matches(['*', ' ', '\t', '\n']);
    let name = body.get(..6).filter(|name| name.eq_ignore_ascii_case("dunlin"))?;
    let rest = body[name.len()..].trim_start().strip_prefix(':')?.trim();
    let line = rest.lines().next().unwrap_or_default().trim();
    directives.assume(line);
    Some(
        Diagnostic::new(Rule::UnknownDirective, "a directive in a block comment")
            .at(Place::span(file, comment, ""))
            .note("directives are lines of their own, so that nobody overlooks one")
            .help(format!("write `-- dunlin: {line}` above the first statement")),
    )
}

/// A comment that begins with `dunlin`.
struct Found<'a> {
    whole: Span,
    word: &'a str,
    word_span: Span,
    value: &'a str,
    has_colon: bool,
}

impl<'a> Found<'a> {
    fn in_comment(text: &'a str, comment: Span) -> Option<Self> {
        let body = comment.text(text).trim_start_matches(['-', '/', '!', ' ', '\t']);
        let trimmed = body.trim_start();
        let name = trimmed.get(..6).filter(|name| name.eq_ignore_ascii_case("dunlin"))?;
        let behind_name = &trimmed[name.len()..];
        let after_colon = behind_name.trim_start().strip_prefix(':');
        let rest = after_colon.unwrap_or(behind_name).trim();
        let (word, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        // Without the colon it is prose, unless the next word is a directive after all.
        if after_colon.is_none() && !WORDS.contains(&word) {
            return None;
        }
        let offset = |part: &str| part.as_ptr().addr() - text.as_ptr().addr();
        let (whole_start, word_start) = (offset(trimmed), offset(word));
        Some(Self {
            whole: Span::new(whole_start, whole_start + trimmed.trim_end().len()),
            word,
            word_span: Span::new(word_start, word_start + word.len()),
            value: value.trim(),
            has_colon: after_colon.is_some(),
        })
    }
}

/// Does what the directive says, or says what is wrong with it.
fn obey(
    file: &Arc<SourceFile>,
    found: &Found<'_>,
    directives: &mut Directives,
) -> Option<Diagnostic> {
    let unknown = |headline: String, label: String| {
        let place = Place::span(file, found.word_span, label);
        Some(Diagnostic::new(Rule::UnknownDirective, headline).at(place))
    };
    let known = format!("the directives are: {}", WORDS.join(", "));
    if !found.has_colon {
        directives.assume(found.word);
        let help =
            format!("write `-- dunlin: {}`", format!("{} {}", found.word, found.value).trim());
        return unknown("a directive without its colon".to_owned(), String::new())
            .map(|problem| problem.help(help));
    }
    if found.word.is_empty() {
        return unknown("a `dunlin:` line without a directive".to_owned(), String::new())
            .map(|problem| problem.note(known));
    }
    if found.word == ALLOW {
        let problem = allow(found, &mut directives.allowances);
        return problem.map(|problem| problem.at(Place::span(file, found.whole, "")));
    }
    if found.word == LOCK_TIMEOUT {
        return match time(found.value) {
            Ok(time) => {
                directives.lock_timeout = Some(time);
                None
            }
            Err(what) => Some(no_time(file, found, what)),
        };
    }
    let flag = match found.word {
        NO_TRANSACTION => &mut directives.no_transaction,
        BREAKING => &mut directives.breaking,
        _ => {
            let meant = nearest(found.word, WORDS);
            directives.assume(meant.unwrap_or_default());
            let label = meant.map(|word| format!("did you mean `{word}`?")).unwrap_or_default();
            return unknown(format!("unknown directive `{}`", found.word), label)
                .map(|problem| problem.note(known));
        }
    };
    *flag = true;
    if !found.value.is_empty() {
        let headline = format!("the directive `{}` takes no value", found.word);
        return unknown(headline, String::new())
            .map(|problem| problem.help(format!("write only `-- dunlin: {}`", found.word)));
    }
    None
}

/// A time as PostgreSQL's settings write it: `500ms`, `2s`, `1min`; `off` is zero.
fn time(value: &str) -> Result<Duration, &'static str> {
    if value == OFF {
        return Ok(Duration::ZERO);
    }
    if value.is_empty() {
        return Err("without its value");
    }
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let ms_each = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "" => return Err("without a unit"),
        _ => return Err("takes a time"),
    };
    let number: u64 = number.parse().map_err(|_| "takes a time")?;
    let ms = number.checked_mul(ms_each).filter(|ms| i32::try_from(*ms).is_ok());
    match ms.ok_or("takes a time of at most 24 days")? {
        0 => Err("takes `off` for no limit"),
        ms => Ok(Duration::from_millis(ms)),
    }
}

fn no_time(file: &Arc<SourceFile>, found: &Found<'_>, what: &str) -> Diagnostic {
    let headline = format!("the directive `{LOCK_TIMEOUT}` {what}");
    Diagnostic::new(Rule::UnknownDirective, headline).at(Place::span(file, found.whole, "")).help(
        format!("write `-- dunlin: {LOCK_TIMEOUT} 500ms`, `2s` or `1min`, or `{OFF}` for no limit"),
    )
}

/// What is wrong with the value of `syntax`, which has only one.
fn off(file: &Arc<SourceFile>, found: &Found<'_>) -> Option<Diagnostic> {
    if found.value == OFF {
        return None;
    }
    let headline = if found.value.is_empty() {
        format!("the directive `{SYNTAX}` without its value")
    } else {
        format!("the directive `{SYNTAX}` takes only `{OFF}`")
    };
    let label = nearest(found.value, &[OFF]).map(|word| format!("did you mean `{word}`?"));
    let problem = Diagnostic::new(Rule::UnknownDirective, headline).at(Place::span(
        file,
        found.whole,
        label.unwrap_or_default(),
    ));
    Some(if found.value.starts_with(OFF) {
        problem.help(format!(
            "write only `-- dunlin: {SYNTAX} {OFF}`, and the reason on a line of its own"
        ))
    } else {
        problem.help(format!(
            "write `-- dunlin: {SYNTAX} {OFF}`, or remove the line: the check is on by itself"
        ))
    })
}

/// Takes an allowance, or says why it allows nothing.
fn allow(found: &Found<'_>, allowances: &mut Vec<Allowance>) -> Option<Diagnostic> {
    let refused = |headline: String| Diagnostic::new(Rule::MalformedAllowance, headline);
    let (id, reason) = found.value.split_once(':').unwrap_or((found.value, ""));
    let (id, reason) = (id.trim(), reason.trim());
    if id.is_empty() {
        let help = "write `-- dunlin: allow <rule>: <reason>`, with the name the message shows";
        return Some(refused("an allowance without its rule".to_owned()).help(help));
    }
    let Some(rule) = Rule::of_id(id) else {
        let refused = refused(format!("no rule is called `{}`", id.escape_debug()));
        return Some(match Rule::nearest(id) {
            Some(rule) => refused.help(format!("did you mean `{rule}`?")),
            None => refused.help("use the name the message shows"),
        });
    };
    if rule.default_level() == DefaultLevel::Fixed {
        let refused = refused(format!("the rule `{rule}` cannot be allowed")).note(FIXED);
        return Some(refused.help("remove this line, and mend what the rule finds"));
    }
    if reason.is_empty() {
        let refused = refused("an allowance without its reason".to_owned())
            .note("whoever reads the file later must see why the rule does not hold here");
        return Some(refused.help(format!("write `-- dunlin: allow {rule}: <reason>`")));
    }
    allowances.push(Allowance { rule, reason: reason.to_owned(), span: found.whole });
    None
}

fn misplaced(file: &Arc<SourceFile>, found: &Found<'_>) -> Diagnostic {
    Diagnostic::new(Rule::MisplacedDirective, "a directive behind the first statement")
        .at(Place::span(file, found.whole, ""))
        .note("directives speak of the whole file, so they stand above its first statement")
        .help("move this line to the top of the file")
}

/// The directives of a SQL text that was checked before, such as a stored undo.
#[must_use]
pub fn of_sql(text: &str) -> Directives {
    let file = Arc::new(SourceFile::new("", text));
    read(&file, &crate::lexer::lex(file.text()).tokens).0
}

/// The directives of a migration in Rust that was checked before.
#[must_use]
pub fn of_rust(text: &str) -> Directives {
    read_rust(&Arc::new(SourceFile::new("", text))).0
}

/// Whether a text that is no file any more, such as a stored undo, is to run in a transaction.
#[must_use]
pub fn is_transactional(text: &str) -> bool {
    !of_sql(text).no_transaction
}
