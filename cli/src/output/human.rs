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
    format!("{severity}: {headline}\n{}{line_end}", rest.trim_end_matches('\n'))
}
