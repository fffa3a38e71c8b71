//! `docs/cli/schema.json`, and holding what commands write to it.
//!
//! As much of JSON Schema as that file uses, and stricter in one thing: a field that it does not name is
//! an error here, where a reader must bear it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::database::Case;

type Names = BTreeSet<String>;

/// Fails where a document is not what the schema says.
#[track_caller]
pub(crate) fn hold(document: &Value) {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/cli/schema.json")).unwrap();
    if let Err(fault) = Schema(&schema).closed(&schema, document) {
        panic!("{fault}, in {document:#}");
    }
}

/// A schema with its definitions.
struct Schema<'a>(&'a Value);

impl Schema<'_> {
    /// What fits and has no other field.
    fn closed(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let named = self.fits(schema, value)?;
        let unknown = value.as_object().and_then(|it| it.keys().find(|it| !named.contains(*it)));
        match unknown {
            Some(unknown) if !named.is_empty() => Err(format!("the schema has no `{unknown}`")),
            _ => Ok(()),
        }
    }

    /// The fields that the schema names of a value that fits it.
    fn fits(&self, schema: &Value, value: &Value) -> Result<Names, String> {
        let schema = schema.as_object().unwrap();
        let mut named = Names::new();
        for (word, rule) in schema {
            match word.as_str() {
                "$ref" => named.extend(self.fits(self.definition(rule), value)?),
                "allOf" => {
                    for part in rule.as_array().unwrap() {
                        named.extend(self.fits(part, value)?);
                    }
                }
                "anyOf" => {
                    let mut parts = rule.as_array().unwrap().iter();
                    let fitting = parts.find_map(|it| self.fits(it, value).ok());
                    named.extend(fitting.ok_or_else(|| format!("{value} is none of {rule}"))?);
                }
                "not" if self.fits(rule, value).is_ok() => {
                    return Err(format!("{value} is {rule}"));
                }
                "if" => {
                    let next = if self.fits(rule, value).is_ok() { "then" } else { "else" };
                    if let Some(next) = schema.get(next) {
                        named.extend(self.fits(next, value)?);
                    }
                }
                "properties" => named.extend(self.properties(rule.as_object().unwrap(), value)?),
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        self.closed(rule, item)?;
                    }
                }
                "required" => {
                    let mut names = rule.as_array().unwrap().iter().filter_map(Value::as_str);
                    if let Some(missing) = names.find(|it| value.get(it).is_none()) {
                        return Err(format!("there is no `{missing}`"));
                    }
                }
                "type" if !is_of(rule, value) => return Err(format!("{value} is no {rule}")),
                "const" if rule != value => return Err(format!("{value} is not {rule}")),
                "enum" if !rule.as_array().unwrap().contains(value) => {
                    return Err(format!("{value} is none of {rule}"));
                }
                "not" | "type" | "const" | "enum" | "then" | "else" => {}
                "$schema" | "$defs" | "title" | "description" => {}
                other => panic!("`{other}` is not understood here"),
            }
        }
        Ok(named)
    }

    fn properties(&self, rules: &Map<String, Value>, value: &Value) -> Result<Names, String> {
        for (name, rule) in rules {
            if let Some(field) = value.get(name) {
                self.closed(rule, field).map_err(|fault| format!("`{name}`: {fault}"))?;
            }
        }
        Ok(rules.keys().cloned().collect())
    }

    /// `#/$defs/finding`
    fn definition(&self, reference: &Value) -> &Value {
        let pointer = reference.as_str().unwrap().trim_start_matches('#');
        self.0.pointer(pointer).unwrap_or_else(|| panic!("there is no {reference}"))
    }
}

fn is_of(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("`{other}` is not understood here"),
    };
    rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is))
}

/// Each command when it does what was asked, and when it cannot.
#[test]
fn every_command_writes_what_the_schema_says() {
    let case = Case::new("schema");
    let _made = case.project.git(&["init", "--quiet"]);
    case.project.commit("begin");
    let mut told = Names::new();
    let mut run = |arguments: &[&str]| {
        // Only those on a database take one.
        let is_of_folder = ["new", "init", "check", "sum", "renumber", "completions", "man"];
        let document = match is_of_folder.contains(&arguments[0]) {
            true => case.project.json(arguments),
            false => case.json(arguments),
        };
        let _told = told.insert(arguments[0].to_owned());
        assert_eq!(document["exit"], "ok", "{document:#}");
    };
    for arguments in [
        &["check", "--server", "--base", "main"][..],
        &["init"],
        &["sum"],
        &["plan"],
        &["plan", "--sql"],
        &["baseline", "--to", "1", "--yes"],
        &["up", "--to", "2"],
        &["status"],
        &["verify"],
        &["redo"],
        &["down"],
        &["repair", "--yes"],
        &["mark", "0002_teams", "applied", "--yes"],
        &["unlock", "--yes"],
        &["adopt", "--yes"],
        &["wait", "--for", "migrated"],
        &["new", "more"],
        &["renumber", "--base", "main"],
        &["completions", "bash"],
        &["man", "up"],
    ] {
        run(arguments);
    }
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/cli/schema.json")).unwrap();
    let known = schema["properties"]["command"]["enum"].as_array().unwrap();
    let known: Names = known.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    assert_eq!(told, known);
    // Nobody answers at this address, and there is no such commit.
    let nobody = "postgres://ana@127.0.0.1:1/app";
    for command in
        ["plan", "baseline", "up", "status", "verify", "redo", "down", "repair", "unlock", "adopt"]
    {
        let document = case.project.json(&[command, "--database-url", nobody]);
        assert_eq!(document["exit"], "database", "{document:#}");
    }
    for command in ["check", "renumber"] {
        assert_eq!(case.project.json(&[command, "--base", "nowhere"])["exit"], "usage");
    }
    case.project.write("migrations/0001_users.sql", "SELECT 'x;\n");
    for command in ["check", "sum"] {
        assert_eq!(case.project.json(&[command])["exit"], "folder");
    }
    for command in ["up", "status", "wait"] {
        assert_eq!(case.json(&[command])["exit"], "folder");
    }
}

#[test]
fn what_the_schema_does_not_say_is_found() {
    let found = |document: Value| {
        std::panic::catch_unwind(move || hold(&document)).is_err_and(|panic| {
            panic.downcast_ref::<String>().is_some_and(|it| !it.contains("not understood"))
        })
    };
    let fine = serde_json::json!({
        "schema": 1, "command": "wait", "exit": "ok", "code": 0, "findings": [], "waited_ms": 3,
    });
    hold(&fine);
    let with = |name: &str, value: Value| {
        let mut document = fine.clone();
        document[name] = value;
        document
    };
    assert!(found(with("waited_ms", "3".into())));
    assert!(found(with("waited_s", 3.into())));
    assert!(found(with("exit", "fine".into())));
    assert!(found(with("command", "man".into())));
    assert!(found(with("error", Value::Null)));
    assert!(found(with("findings", serde_json::json!([{ "severity": "error" }]))));
}
