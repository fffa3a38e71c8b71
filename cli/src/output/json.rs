//! One JSON document: `docs/cli/json.md` and `docs/cli/schema.json` describe it.
//!
//! **Invariant:** fields are added and never renamed or removed while [`SCHEMA`] is the same.

use serde_json::{Map, Value, json};

use crate::answer::Outcome;

/// The version of the schema.
pub(crate) const SCHEMA: u32 = 1;

pub(super) fn document(command: &str, outcome: &Outcome) -> String {
    let mut document = Map::new();
    let mut field = |name: &str, value: Value| {
        let _none = document.insert(name.to_owned(), value);
    };
    field("schema", json!(SCHEMA));
    field("command", json!(command));
    let (exit, findings, data) = match outcome {
        Ok(answer) => (answer.exit, json!(answer.findings), &answer.data),
        Err(failure) => {
            let mut error = json!(failure.finding);
            error["sqlstate"] = json!(failure.sqlstate);
            field("error", error);
            (failure.exit, json!(failure.findings), &failure.data)
        }
    };
    field("exit", json!(exit.word()));
    field("code", json!(exit.code()));
    field("findings", findings);
    document.extend(data.clone());
    let text = serde_json::to_string_pretty(&Value::Object(document)).unwrap_or_default();
    format!("{text}\n")
}
