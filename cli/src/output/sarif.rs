//! SARIF 2.1.0 (OASIS), as GitHub's code scanning and editors read it.

use std::collections::BTreeSet;

use dunlin_core::Rule;
use serde_json::{Value, json};

use super::from_root;
use crate::answer::{Finding, Outcome};

pub(super) fn document(outcome: &Outcome) -> String {
    let findings: Vec<&Finding> = match outcome {
        Ok(answer) => answer.findings.iter().collect(),
        Err(failure) => vec![&failure.finding],
    };
    let ids: BTreeSet<&str> = findings.iter().map(|it| it.rule.as_str()).collect();
    let rules: Vec<_> = ids.into_iter().map(rule).collect();
    let results: Vec<_> = findings.into_iter().map(result).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "dunlin",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{}\n", serde_json::to_string_pretty(&document).unwrap_or_default())
}

fn rule(id: &str) -> Value {
    match Rule::of_id(id) {
        Some(rule) => json!({
            "id": id,
            "shortDescription": { "text": rule.summary() },
            "help": { "text": rule.explanation().instead },
        }),
        None => json!({ "id": id }),
    }
}

fn result(finding: &Finding) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": { "text": finding.text.trim_end() },
    });
    if let Some(path) = &finding.path {
        result["locations"] = json!([{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&from_root(path)) },
            "region": { "startLine": finding.line.unwrap_or(1), "startColumn": finding.column.unwrap_or(1) },
        } }]);
    }
    result
}

/// A relative path as a reference of RFC 3986.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_becomes_a_reference() {
        assert_eq!(uri("a b/größe.sql"), "a%20b/gr%C3%B6%C3%9Fe.sql");
    }
}
