//! The pages in `docs/cli/`, which are made of the help, and the one about JSON, which is not.
//!
//! `UPDATE_EXPECT=1 cargo test -p cargo-dunlin --test pages` rewrites the former.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli")
}

#[test]
fn the_pages_are_what_the_help_says() {
    let pages = dunlin_cli::pages();
    let mut stale = Vec::new();
    for (name, text) in &pages {
        let path = docs().join(name);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::create_dir_all(docs()).unwrap();
            fs::write(&path, text).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n") != *text {
            stale.push(name.clone());
        }
    }
    let known: BTreeSet<_> =
        pages.iter().map(|(name, _)| name.as_str()).chain(["json.md", "schema.json"]).collect();
    for entry in fs::read_dir(docs()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !known.contains(name.as_str()) {
            stale.push(format!("{name}, about a command that is not there"));
        }
    }
    assert!(
        stale.is_empty(),
        "stale: {}\nUPDATE_EXPECT=1 cargo test -p cargo-dunlin --test pages rewrites them",
        stale.join(", ")
    );
}

#[test]
fn every_command_has_its_fields_described() {
    let text = fs::read_to_string(docs().join("json.md")).unwrap();
    let schema = fs::read_to_string(docs().join("schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    for (name, _) in dunlin_cli::pages() {
        let Some(command) = name.strip_suffix(".md").filter(|it| *it != "README") else { continue };
        assert!(text.contains(&format!("\n| `{command}` |")), "`{command}` is not in json.md");
        let in_schema = schema["$defs"].get(command).is_some();
        assert!(in_schema, "`{command}` is not in schema.json");
    }
}
