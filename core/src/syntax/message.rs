//! Faults in words.

use std::sync::Arc;

use super::dialect;
use super::escape::Escape;
use super::parse::{Fault, What};
use super::repair::Cause;
use super::view::View;
use crate::diagnostic::{Diagnostic, Place};
use crate::rule::Rule;
use crate::source::{SourceFile, Span};

/// What a valid statement needs that is refused all the same.
const WAYS_OUT: &str = "if PostgreSQL accepts this, put `-- dunlin: syntax off` on the line above it, or at the top of the file, or pass `syntax = false` to the macro";

/// The longest piece of a statement that a headline shows.
const SHOWN_CHARACTERS: usize = 40;

/// Says what is wrong with the statement that begins at `start` of a file.
pub(super) fn say(
    file: &Arc<SourceFile>,
    start: usize,
    view: &View<'_>,
    fault: &Fault,
    cause: &Cause,
) -> Diagnostic {
    let message = Message { file, start, view };
    message.of_cause(cause).unwrap_or_else(|| message.of_fault(fault)).help(WAYS_OUT)
}

struct Message<'a> {
    file: &'a Arc<SourceFile>,
    start: usize,
    view: &'a View<'a>,
}

impl Message<'_> {
    /// A place, from a token up to, not including, another.
    fn place(&self, first: usize, behind: usize, label: &str) -> Place {
        let from = self.view.start(first);
        let to = self.view.end_before(behind.max(first + 1)).max(from);
        Place::span(self.file, Span::new(self.start + from, self.start + to), label)
    }

    fn shown(&self, token: usize) -> String {
        shorten(self.view.text(token))
    }

    fn problem(&self, headline: String, token: usize, label: &str) -> Diagnostic {
        Diagnostic::new(Rule::Syntax, headline).at(self.place(token, token + 1, label))
    }

    fn of_cause(&self, cause: &Cause) -> Option<Diagnostic> {
        Some(match cause {
            Cause::Unknown => return None,
            Cause::Misspelt { token, keyword } => {
                let keyword = self.in_case_of(*token, keyword);
                let headline = format!("syntax error at `{}`", self.shown(*token));
                self.problem(headline, *token, &format!("did you mean `{keyword}`?"))
            }
            Cause::Reserved { token } => {
                let word = self.view.text(*token);
                self.problem(
                    format!("`{word}` is a reserved word"),
                    *token,
                    "a name is expected here",
                )
                .help(format!(
                    "choose another name, or write `\"{}\"` wherever it is used",
                    word.to_ascii_lowercase()
                ))
            }
            Cause::SecondStatement { token } => {
                let headline = format!("missing `;` in front of `{}`", self.shown(*token));
                self.problem(headline, *token, "another statement begins here")
                    .help(format!("end the statement before with `;`{}", self.line_before(*token)))
            }
            Cause::TrailingComma { token } => {
                let headline = match self.view.text(token + 1) {
                    "" => "a comma at the end of the statement".to_owned(),
                    _ => format!("a comma in front of `{}`", self.shown(token + 1)),
                };
                self.problem(headline, *token, "nothing follows it").help("remove the comma")
            }
            Cause::MissingComma { token } => {
                let headline = format!("missing comma in front of `{}`", self.shown(*token));
                self.problem(headline, *token, "").help("put a comma in front of it")
            }
            Cause::Doubled { token } => self
                .problem(format!("`{}` twice in a row", self.shown(*token)), *token, "")
                .help("remove one of them"),
            _ => return self.of_rare_cause(cause),
        })
    }

    /// The causes that are rarer.
    fn of_rare_cause(&self, cause: &Cause) -> Option<Diagnostic> {
        Some(match cause {
            Cause::NoCondition { token, words } => {
                let n = words.split(' ').count();
                Diagnostic::new(Rule::Syntax, format!("this command has no `{words}`"))
                    .at(self.place(*token, token + n, ""))
                    .help("remove it; a migration runs once, so it needs no such condition")
            }
            Cause::QuotedString { token } => {
                let text = self.view.text(*token).trim_matches('"').replace('\'', "''");
                self.problem(
                    format!("the name {} where a text belongs", self.shown(*token)),
                    *token,
                    "",
                )
                .note("double quotes are for names, single quotes for texts")
                .help(format!("write `'{}'`", shorten(&text)))
            }
            Cause::Unclosed { opened, token, close } => {
                let headline = format!("`{}` without its `{close}`", self.shown(*opened));
                self.problem(headline, *opened, "opened here and never closed").also(self.place(
                    *token,
                    token + 1,
                    &format!("`{close}` is missing in front of this"),
                ))
            }
            Cause::Hyphen { token } => {
                let span = (self.view.start(*token), self.view.end_before(token + 3));
                let name = self.view.sql.get(span.0..span.1).unwrap_or_default();
                Diagnostic::new(Rule::Syntax, format!("`{name}` is three words to PostgreSQL"))
                    .at(self.place(*token, token + 3, ""))
                    .help(format!("write `\"{name}\"`"))
            }
            Cause::Missing { token, keyword } => {
                let keyword = self.in_case_of(0, keyword);
                self.problem(
                    self.headline_at(*token),
                    *token,
                    &format!("is `{keyword}` missing in front of this?"),
                )
            }
            _ => return None,
        })
    }

    fn of_fault(&self, fault: &Fault) -> Diagnostic {
        let token = self.view.at(fault.at);
        let problem = |headline: &str, label: &str| self.problem(headline.to_owned(), token, label);
        match &fault.what {
            What::Unexpected(words) => {
                let label = expectation(words).unwrap_or_default();
                self.advised(self.problem(self.headline_at(token), token, &label), token)
            }
            What::SecondStatement | What::FromFirst | What::NoLeftSide | What::Reserved => {
                self.advised(self.problem(self.headline_at(token), token, ""), token)
            }
            What::SecondString => problem("a text directly behind a text", "")
                .help("put a comma or `||` between them"),
            What::NoType => {
                problem("a column without a type", "the type is missing in front of this")
            }
            What::PsqlVariable => problem("a variable of psql", "")
                .note("only the program psql replaces `:name`, the server does not know it")
                .help("write the value itself"),
            What::BareArray => problem("an array without `ARRAY`", "").help("write `ARRAY[...]`"),
            What::ComparedTwice => problem("two comparisons in a row", "")
                .help("put parentheses around one of them, or join them with `AND`"),
            What::Misplaced(advice) => {
                self.problem(self.headline_at(token), token, "").help(*advice)
            }
            What::ByteOrderMark => problem("a byte order mark within the file", "")
                .note("it is not shown, and PostgreSQL takes it for a letter; files that were joined bring it along")
                .help("remove the character U+FEFF in front of the statement"),
            What::ReservedRole => {
                problem(&format!("no role has the name `{}`", self.shown(token)), "")
            }
            What::Escape(escape, length) => self.of_escape(*escape, fault.at, *length),
        }
    }

    fn of_escape(&self, escape: Escape, at: usize, length: usize) -> Diagnostic {
        let shown = shorten(self.view.sql.get(at..at + length).unwrap_or_default());
        let span = Span::new(self.start + at, self.start + at + length);
        let problem = |headline: String| {
            Diagnostic::new(Rule::Syntax, headline).at(Place::span(self.file, span, ""))
        };
        let sign = shown.chars().next().unwrap_or('\\');
        match escape {
            Escape::Digits(n) => problem(format!("`{shown}` needs {n} hexadecimal digits"))
                .help("write all of them, or `\\\\` for a backslash"),
            Escape::NoNumber => problem(format!("`{shown}` is no escape")).help(format!(
                "write `{sign}XXXX` or `{sign}+XXXXXX` with hexadecimal digits, or `{sign}{sign}` for the sign itself"
            )),
            Escape::Half => problem(format!("`{shown}` is half of a character"))
                .help("write both halves, one directly behind the other"),
            Escape::NoCharacter => problem(format!("`{shown}` is no character"))
                .note("the numbers of characters go from 1 to 10FFFF, hexadecimal"),
            Escape::Zero => problem(format!("`{shown}` is the byte 0, which no text can hold")),
            Escape::Sign => problem(format!("`{shown}` cannot begin an escape")).help(
                "choose one character of ASCII that is no hexadecimal digit, plus, quote or space",
            ),
            Escape::NoSign => problem("`UESCAPE` without a text behind it".to_owned()),
        }
    }

    /// With what stands for a word of another database.
    fn advised(&self, problem: Diagnostic, token: usize) -> Diagnostic {
        match dialect::advice(self.view, token) {
            Some(advice) => problem.help(advice),
            None => problem,
        }
    }

    fn headline_at(&self, token: usize) -> String {
        match self.view.text(token) {
            "" => "the statement ends too early".to_owned(),
            "`" => "syntax error at a backquote".to_owned(),
            _ => format!("syntax error at `{}`", self.shown(token)),
        }
    }

    /// ` in line 3`, if it is another line than the token's.
    fn line_before(&self, token: usize) -> String {
        let line = |byte| self.file.location(self.start + byte).line();
        let end = self.view.end_before(token).saturating_sub(1);
        if line(end) == line(self.view.start(token)) {
            String::new()
        } else {
            format!(" in line {}", line(end))
        }
    }

    /// A keyword in small letters where the statement is written so.
    fn in_case_of(&self, token: usize, keyword: &str) -> String {
        if self.view.text(token).chars().any(char::is_uppercase) {
            keyword.to_owned()
        } else {
            keyword.to_ascii_lowercase()
        }
    }
}

/// A text cut to what a headline has room for, on one line.
fn shorten(text: &str) -> String {
    let line: String = text.chars().take_while(|&it| it != '\n').take(SHOWN_CHARACTERS).collect();
    if line.len() < text.len() { format!("{line}…") } else { line }
}

/// What the parser expected, in words for people; nothing where its words would lead astray.
fn expectation(words: &str) -> Option<String> {
    // It names what it found by names of its own.
    let words = words.split([',', ';']).next().unwrap_or_default();
    let words = words.split(" but got").next().unwrap_or_default().trim();
    let what = words.strip_prefix("expected ").or_else(|| words.strip_prefix("Expected "))?;
    let sign = match what {
        "L_PAREN" => "`(`",
        "R_BRACK" => "`]`",
        "EQ" => "`=`",
        "STRING" => "a text in single quotes",
        "string literal" => "a text in single quotes",
        "expr" | "expression" | "an expression" | "expression in atom_expr" => "an expression",
        "name" | "path name" | "identifier" | "a name" => "a name",
        "type name" | "a type" | "simple type name" => "a type",
        // Where a list ends or goes on, anything else is wrong: that says nothing.
        "command" | "COLON_COLON" | "COMMA" | "R_PAREN" => return None,
        "role" => "a role",
        "at least one item" => "at least one",
        "column list" | "column_list" => "names of columns in parentheses",
        _ => {
            if let Some(keyword) = what.strip_suffix("_KW") {
                return Some(format!("expected `{keyword}`"));
            }
            let plain = what.chars().all(|it| it.is_ascii_alphanumeric() || " `'-".contains(it));
            // An inner name such as `from_item` or `CUSTOM_OP`.
            return (plain && !what.is_empty()).then(|| format!("expected {what}"));
        }
    };
    Some(format!("expected {sign}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_said_in_words_for_people() {
        for (words, expected) in [
            ("expected L_PAREN", "`(`"),
            ("expected R_BRACK but got COMMA", "`]`"),
            ("expected EQ", "`=`"),
            ("Expected STRING", "a text in single quotes"),
            ("expected string literal", "a text in single quotes"),
            ("expected expr", "an expression"),
            ("expected expression in atom_expr", "an expression"),
            ("expected path name", "a name"),
            ("expected simple type name", "a type"),
            ("expected role", "a role"),
            ("expected at least one item", "at least one"),
            ("expected column_list, got x", "names of columns in parentheses"),
            ("expected TABLE_KW", "`TABLE`"),
            ("expected a number", "a number"),
        ] {
            let said = expectation(words);
            assert_eq!(said, Some(format!("expected {expected}")), "{words}");
        }
        for words in
            ["expected COMMA", "expected from_item", "expected CUSTOM_OP", "expected ", "x"]
        {
            assert_eq!(expectation(words), None, "{words}");
        }
    }

    #[test]
    fn only_what_is_left_out_has_an_ellipsis() {
        let long = "é".repeat(SHOWN_CHARACTERS);
        assert_eq!(shorten("a b"), "a b");
        assert_eq!(shorten("a\nb"), "a…");
        assert_eq!(shorten(&long), long);
        assert_eq!(shorten(&format!("{long}x")), format!("{long}…"));
    }
}
