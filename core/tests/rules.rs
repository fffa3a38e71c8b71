//! The pages about the rules, `docs/rules/`, which are made of what `core/src/rule/` says, and the
//! page about `dunlin.sum`, which is made of that module's documentation.
//!
//! `UPDATE_EXPECT=1 cargo test -p dunlin-core --test rules` rewrites them. The messages in them are
//! those that reading the examples gives, so an example that shows something else fails here.

#![expect(clippy::unwrap_used, reason = "a page that cannot be read is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use dunlin_core::folder::Reading;
use dunlin_core::rule::{DefaultLevel, Files};
use dunlin_core::{Folder, Options, Rule, Severity};

const MADE: &str =
    "<!-- Made from the code: UPDATE_EXPECT=1 cargo test -p dunlin-core --test rules -->\n\n";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn read(test: &str, rule: Rule, files: Files) -> Reading {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rules-{test}-{rule}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Folder::read(&folder, "migrations", &Options::default())
}

fn told(reading: &Reading) -> String {
    let problems = reading.diagnostics.iter().map(|it| match it.severity() {
        Severity::Error => format!("error: {it}\n"),
        Severity::Warning => format!("warning: {it}\n"),
    });
    problems.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_example_breaks_its_rule_alone_and_is_mended() {
    for rule in Rule::ALL {
        let explanation = rule.explanation();
        if !explanation.example.is_empty() {
            let reading = read("example", *rule, explanation.example);
            let rules: BTreeSet<_> = reading.diagnostics.iter().map(|it| it.rule()).collect();
            assert_eq!(rules, BTreeSet::from([*rule]), "{}", told(&reading));
        }
        let reading = read("mended", *rule, explanation.mended);
        if !explanation.mended.is_empty() {
            assert!(reading.diagnostics.is_empty(), "{rule}: {}", told(&reading));
        }
    }
}

/// Where no example can be shown, the message is that of the fixture.
fn message(rule: Rule) -> Option<String> {
    if !rule.explanation().example.is_empty() {
        return Some(told(&read("page", rule, rule.explanation().example)));
    }
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/folders").join(rule.id());
    let expected = fs::read_to_string(fixture.join("expected.txt")).ok()?;
    expected.split("\n\n").next().map(|first| format!("{}\n", first.trim_end()))
}

fn level(rule: Rule) -> String {
    match rule.default_level() {
        DefaultLevel::Fixed => "An error; it cannot be allowed.".to_owned(),
        DefaultLevel::Deny => format!("An error by default. {}", ways_out(rule)),
        DefaultLevel::Warn => format!("A warning by default. {}", ways_out(rule)),
    }
}

fn ways_out(rule: Rule) -> String {
    format!(
        "See [levels](README.md#levels); a file is exempt with `-- dunlin: allow {rule}: <reason>`."
    )
}

fn shown(files: &[(&str, &str)]) -> String {
    let file = |(name, text): &(&str, &str)| {
        let language = match name.rsplit_once('.') {
            Some((_, "sql")) => "sql",
            Some((_, "rs")) => "rust",
            _ => "text",
        };
        let text = text.replace('\0', "\u{2400}");
        format!("`migrations/{name}`\n\n```{language}\n{}\n```\n\n", text.trim_end_matches('\n'))
    };
    files.iter().map(file).collect()
}

fn page(rule: Rule) -> String {
    let explanation = rule.explanation();
    let mut page = format!("{MADE}# `{rule}`\n\n{}\n\n{}\n\n", rule.summary(), level(rule));
    page.push_str(&format!("## Why\n\n{}\n\n", explanation.why));
    if let Some(message) = message(rule) {
        page.push_str("## Example\n\n");
        page.push_str(&shown(explanation.example));
        page.push_str(&format!("```text\n{message}```\n\n"));
    }
    page.push_str(&format!("## Instead\n\n{}\n\n", explanation.instead));
    let (changed, same): (Vec<_>, Vec<_>) =
        explanation.mended.iter().copied().partition(|file| !explanation.example.contains(file));
    page.push_str(&shown(&changed));
    if !same.is_empty() && !changed.is_empty() {
        page.push_str("The other files stay as they are.\n");
    }
    format!("{}\n", page.trim_end())
}

const LEVELS: &str = "\
A rule's findings are errors, which fail the build, or warnings, which do not.
Rules without which a folder has no meaning, or would run in another way than it is written, are always errors.
Of all others the level is chosen in the macro:

```rust
static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!(
    \"migrations\",
    deny = [\"long-identifier\"],
    warn = [\"enum-value-used\"],
    allow = [\"wrapped-transaction\", \"leaking-setting: 0003_settings.sql\"],
);
```

`\"<rule>: <file>\"` exempts one file.
It is meant for released files, whose text must not change any more.
A file that is not released says for itself, at its head, why a rule does not hold for it:

```sql
-- dunlin: allow leaking-setting: the extension reads it when it is created
```

A file's allowance counts whatever the macro denies, because it gives a reason for itself.
An allowance that hides nothing is a warning of its own, `unused-allowance`.
";

const WARNINGS: &str = "\
A procedural macro cannot warn on a stable compiler.
Dunlin's warnings are therefore uses of something deprecated, whose note is the message:

```text
warning: use of deprecated macro `long_identifier`: an identifier of 70 bytes
          --> migrations/0007_index.sql:1:14
           |
         1 | CREATE INDEX index_workflow_request_participants_on_request_id_and_participant_id70 ...
```

* They stay warnings under `#![deny(warnings)]` and `RUSTFLAGS=\"-D warnings\"`, so that a new version of Dunlin breaks no build; what is to be an error is said with `deny = [...]`.
* `#![allow(deprecated)]` in the crate hides them, `#![deny(deprecated)]` and `#![forbid(deprecated)]` make them errors: both speak of the lint that carries them.
* In a dependency cargo hides them, as all warnings there.
* Errors never go this way.
";

fn index() -> String {
    let mut text = format!(
        "{MADE}# Rules\n\nWhat a migrations folder must keep, and is told when it does not.\n\n"
    );
    text.push_str("| rule | finds | level |\n| --- | --- | --- |\n");
    for rule in Rule::ALL {
        let level = match rule.default_level() {
            DefaultLevel::Fixed => "always an error",
            DefaultLevel::Deny => "error",
            DefaultLevel::Warn => "warning",
        };
        text.push_str(&format!("| [`{rule}`]({rule}.md) | {} | {level} |\n", rule.summary()));
    }
    text.push_str(&format!("\n## Levels\n\n{LEVELS}\n## Warnings\n\n{WARNINGS}"));
    text
}

/// The documentation of the module as a page: one source for both.
fn about_the_sum() -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sum.rs");
    let source = fs::read_to_string(source).unwrap();
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let text: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let text =
        text.join("\n").replace("[`Checksum`]", "a checksum").replace("[`write()`]", "`write`");
    let (title, rest) = text.split_once('\n').unwrap();
    format!("{MADE}# {}\n{}\n", title.trim_end_matches('.'), rest.replace("\n# ", "\n## "))
}

#[test]
fn the_pages_are_what_the_code_says() {
    let mut pages: BTreeMap<PathBuf, String> = Rule::ALL
        .iter()
        .map(|rule| (PathBuf::from(format!("rules/{rule}.md")), page(*rule)))
        .collect();
    let _none = pages.insert("rules/README.md".into(), index());
    let _none = pages.insert("dunlin-sum.md".into(), about_the_sum());
    let updates = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut stale = Vec::new();
    for (path, text) in &pages {
        let at = docs().join(path);
        if updates {
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(&at, text).unwrap();
        }
        if fs::read_to_string(&at).unwrap_or_default().replace("\r\n", "\n") != *text {
            stale.push(path.display().to_string());
        }
    }
    for entry in fs::read_dir(docs().join("rules")).unwrap() {
        let name = PathBuf::from("rules").join(entry.unwrap().file_name());
        if !pages.contains_key(&name) {
            stale.push(format!("{}, about a rule that is not there", name.display()));
        }
    }
    assert!(
        stale.is_empty(),
        "stale: {}\nUPDATE_EXPECT=1 cargo test -p dunlin-core --test rules rewrites them",
        stale.join(", ")
    );
}
