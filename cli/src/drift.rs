//! What database and build disagree about, as fields and as findings with a place.

use dunlin::Drift;
use serde_json::{Value, json};

use crate::answer::Finding;

/// The fields of each, for programs.
pub(crate) fn fields(drift: &[Drift]) -> Vec<Value> {
    drift.iter().map(field).collect()
}

/// Each with its place.
pub(crate) fn findings(drift: &[Drift]) -> Vec<Finding> {
    drift.iter().map(finding).collect()
}

fn field(drift: &Drift) -> Value {
    match drift {
        Drift::Changed { name, path, line, recorded, current, diff, only_layout, .. } => json!({
            "kind": "changed", "name": name, "path": path, "line": line, "diff": diff,
            "recorded_checksum": recorded, "checksum": current.to_string(), "only_layout": only_layout,
        }),
        Drift::Missing { name, .. } => json!({ "kind": "missing", "name": name }),
        Drift::Renamed { name, to, path, .. } => {
            json!({ "kind": "renamed", "name": name, "to": to, "path": path })
        }
        Drift::Late { name, path, newest } => {
            json!({ "kind": "late", "name": name, "path": path, "newest": newest })
        }
        other => json!({ "kind": "other", "name": other.name() }),
    }
}

fn finding(drift: &Drift) -> Finding {
    let (rule, headline, path, line) = match drift {
        Drift::Changed { name, path, line, .. } => {
            ("changed", format!("the applied migration `{name}` was edited"), Some(path), *line)
        }
        Drift::Missing { name, .. } => {
            ("missing", format!("the applied migration `{name}` is not here"), None, 1)
        }
        Drift::Renamed { name, to, path, .. } => (
            "renamed",
            format!("the applied migration `{name}` was renamed to `{to}`"),
            Some(path),
            1,
        ),
        Drift::Late { name, path, newest } => (
            "late",
            format!("`{name}` is pending, but the newer `{newest}` is applied"),
            Some(path),
            1,
        ),
        other => ("other", format!("`{}` is not as it was applied", other.name()), None, 1),
    };
    let diff = match drift {
        Drift::Changed { diff: Some(diff), .. } => format!("\n{diff}"),
        _ => String::new(),
    };
    Finding {
        severity: "error",
        rule: rule.to_owned(),
        text: format!("{headline}{diff}"),
        headline,
        line: path.map(|_| line),
        column: path.map(|_| 1),
        path: path.cloned(),
    }
}
