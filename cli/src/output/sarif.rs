//! SARIF 2.1.0 (OASIS), as GitHub's code scanning and editors read it.

use std::collections::BTreeSet;

use dunlin_core::Rule;
use dunlin_core::rule::DefaultLevel;
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

/// A rule with what GitHub's code scanning requires of it.
fn rule(id: &str) -> Value {
    let known = Rule::of_id(id);
    let (summary, why, instead) = match known {
        Some(rule) => (rule.summary(), rule.explanation().why, rule.explanation().instead),
        None => (
            "The migrations could not be tried, or one of them failed.",
            "With `--server` they are applied, undone and applied again on a database of their own.",
            "The message says what is to be done.",
        ),
    };
    let level = match known.map(Rule::default_level) {
        Some(DefaultLevel::Warn) => "warning",
        _ => "error",
    };
    json!({
        "id": id,
        "name": name(id),
        "shortDescription": { "text": summary },
        "fullDescription": { "text": why },
        "help": { "text": instead },
        "defaultConfiguration": { "level": level },
    })
}

/// `unterminated-string` as `UnterminatedString`.
fn name(id: &str) -> String {
    let word = |word: &str| {
        let mut characters = word.chars();
        let first = characters.next().map(|it| it.to_ascii_uppercase());
        first.into_iter().chain(characters).collect::<String>()
    };
    id.split('-').map(word).collect()
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
    use super::{name, uri};

    #[test]
    fn a_rule_has_a_name_in_one_word() {
        assert_eq!(name("unterminated-string"), "UnterminatedString");
        assert_eq!(name("not-utf-8"), "NotUtf8");
    }

    #[test]
    fn a_path_becomes_a_reference() {
        assert_eq!(uri("a b/größe.sql"), "a%20b/gr%C3%B6%C3%9Fe.sql");
    }
}
