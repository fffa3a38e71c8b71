//! Directives: comment lines `-- dunlin: <word> [value]` at the head of a file.
//!
//! **Invariant:** a comment that could be meant as a directive is obeyed or is an error. A mistyped
//! directive that counts as prose would silently run the file in another way than its author wrote.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::levels::FIXED;
use crate::lexer::{Token, TokenKind};
use crate::rule::{DefaultLevel, Rule};
use crate::source::{SourceFile, Span};
use crate::suggest::nearest;

const NO_TRANSACTION: &str = "no-transaction";
const ALLOW: &str = "allow";
const SYNTAX: &str = "syntax";
const OFF: &str = "off";
const WORDS: &[&str] = &[NO_TRANSACTION, ALLOW, SYNTAX];

/// What the head of a file asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `no-transaction`: the statements run one by one, outside a transaction.
    pub no_transaction: bool,
    /// `allow <rule>: <reason>`: what is not told of this file.
    pub allowances: Vec<Allowance>,
    /// `syntax off`: no statement is checked against PostgreSQL's grammar.
    pub syntax_off: bool,
    /// The same behind the first statement, so each for the one below it: the comments.
    pub syntax_off_at: Vec<Span>,
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
            problems.push(misplaced(file, &found));
        } else {
            problems.extend(obey(file, &found, &mut directives));
        }
    }
    (directives, problems)
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
        let body = comment.text(text).trim_start_matches('-');
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
    if found.word != NO_TRANSACTION {
        let label = nearest(found.word, WORDS)
            .map(|word| format!("did you mean `{word}`?"))
            .unwrap_or_default();
        return unknown(format!("unknown directive `{}`", found.word), label)
            .map(|problem| problem.note(known));
    }
    if !found.value.is_empty() {
        let headline = format!("the directive `{NO_TRANSACTION}` takes no value");
        return unknown(headline, String::new())
            .map(|problem| problem.help(format!("write only `-- dunlin: {NO_TRANSACTION}`")));
    }
    directives.no_transaction = true;
    None
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

/// Whether a text that is no file any more, such as a stored undo, is to run in a transaction.
#[must_use]
pub fn is_transactional(text: &str) -> bool {
    let file = Arc::new(SourceFile::new("", text));
    !read(&file, &crate::lexer::lex(file.text()).tokens).0.no_transaction
}
