//! Annotations of GitHub's workflows: «Workflow commands for GitHub Actions» in its manual.

use super::from_root;
use crate::answer::{Finding, Outcome};

pub(super) fn annotations(outcome: &Outcome) -> String {
    match outcome {
        Ok(answer) => {
            let lines: String = answer.findings.iter().map(annotation).collect();
            format!("{lines}{}", answer.text)
        }
        Err(failure) => {
            let places: String = failure.findings.iter().map(annotation).collect();
            format!("{places}{}", annotation(&failure.finding))
        }
    }
}

fn annotation(finding: &Finding) -> String {
    let mut properties = Vec::new();
    if let Some(path) = &finding.path {
        properties.push(format!("file={}", property(&from_root(path))));
        properties.extend(finding.line.map(|line| format!("line={line}")));
        properties.extend(finding.column.map(|column| format!("col={column}")));
    }
    properties.push(format!("title={}", property(&finding.headline)));
    format!("::{} {}::{}\n", finding.severity, properties.join(","), data(&finding.text))
}

/// What stands behind the second `::`.
fn data(text: &str) -> String {
    text.trim_end().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_workflow_would_misread_is_escaped() {
        let finding = Finding {
            severity: "error",
            rule: "x".to_owned(),
            headline: "a, b: 100%".to_owned(),
            path: Some("a:b,c.sql".to_owned()),
            line: Some(3),
            column: Some(7),
            text: "a, b: 100%\nsecond".to_owned(),
        };
        assert_eq!(
            annotation(&finding),
            "::error file=a%3Ab%2Cc.sql,line=3,col=7,title=a%2C b%3A 100%25::a, b: 100%25%0Asecond\n"
        );
    }
}
