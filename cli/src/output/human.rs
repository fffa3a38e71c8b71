//! Text for people: answers to standard output, failures to standard error.

use crate::answer::{Finding, Outcome};
use crate::screen::{Paint, Screen, Tone};

/// Whether what was to be written has arrived.
pub(super) fn write(screen: &Screen, outcome: &Outcome) -> bool {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(failure) => {
            screen.complain(&block(screen.error_paint, &failure.finding));
            return true;
        }
    };
    let findings: Vec<_> = answer.findings.iter().map(|it| block(screen.paint, it)).collect();
    let between = if findings.is_empty() || answer.text.is_empty() { "" } else { "\n" };
    screen.say(&format!("{}{between}{}", findings.join("\n"), answer.text))
}

/// A message with its severity in front: `error: ...`.
pub(crate) fn block(paint: Paint, finding: &Finding) -> String {
    let tone = if finding.is_error() { Tone::Bad } else { Tone::Waiting };
    let severity = paint.paint(tone, finding.severity);
    let (headline, rest) = finding.text.split_once('\n').unwrap_or((&finding.text, ""));
    let headline = paint.paint(Tone::Strong, headline);
    let line_end = if rest.is_empty() { "" } else { "\n" };
    let rest = painted(paint, tone, rest.trim_end_matches('\n'));
    format!("{severity}: {headline}\n{rest}{line_end}")
}

/// The lines of a message below its headline: places and margins step back, carets and diffs stand out.
pub(crate) fn painted(paint: Paint, tone: Tone, text: &str) -> String {
    let mut is_diff = false;
    let lines = text.split('\n').map(|line| {
        is_diff = line.starts_with("@@") || is_diff && line.starts_with([' ', '+', '-', '\\']);
        match line.as_bytes().first() {
            Some(b'@') if is_diff => paint.paint(Tone::Quiet, line).into_owned(),
            Some(b'+') if is_diff => paint.paint(Tone::Good, line).into_owned(),
            Some(b'-') if is_diff => paint.paint(Tone::Gone, line).into_owned(),
            _ if is_diff => line.to_owned(),
            _ => in_frame(paint, tone, line),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line of a frame: ` --> path`, `  | ^^^ here`, `  = note: text`.
fn in_frame(paint: Paint, tone: Tone, line: &str) -> String {
    let trimmed = line.trim_start();
    let indent = &line[..line.len() - trimmed.len()];
    if trimmed.starts_with("--> ") || trimmed.starts_with("::: ") || trimmed == "|" {
        return format!("{indent}{}", paint.paint(Tone::Quiet, trimmed));
    }
    if let Some(text) = trimmed.strip_prefix('|') {
        let spaces = text.len() - text.trim_start().len();
        let (space, text) = text.split_at(spaces);
        let is_caret = text.starts_with('^');
        let text = if is_caret { paint.paint(tone, text) } else { text.into() };
        return format!("{indent}{}{space}{text}", paint.paint(Tone::Quiet, "|"));
    }
    for word in ["= note:", "= help:", "note:", "help:"] {
        if let Some(text) = trimmed.strip_prefix(word) {
            return format!("{indent}{}{text}", paint.paint(Tone::Strong, word));
        }
    }
    match trimmed.split_once(" |") {
        Some((number, text)) if number.bytes().all(|it| it.is_ascii_digit()) => {
            format!("{indent}{}{text}", paint.paint(Tone::Quiet, &format!("{number} |")))
        }
        _ => line.to_owned(),
    }
}
