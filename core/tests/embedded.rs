//! What the macro and the runtime take from a folder and from a text, apart from its problems.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dunlin_core::checksum::ParseChecksumError;
use dunlin_core::folder::Reading;
use dunlin_core::source::{Location, SourceFile};
use dunlin_core::{Folder, Options, Rule, directive};

fn read(fixture: &str) -> Reading {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/folders").join(fixture);
    Folder::read(&folder.join("migrations"), "shown/migrations", &Options::default())
}

#[test]
fn a_folder_names_what_the_compiler_watches() {
    let recorded = read("accepted--recorded").folder;
    assert_eq!(recorded.path(), "shown/migrations");
    assert_eq!(recorded.sum().and_then(Path::file_name), Some(OsStr::new("dunlin.sum")));
    assert_eq!(recorded.settings(), Vec::<PathBuf>::new());

    let diesel = read("layout-diesel").folder;
    assert_eq!(diesel.sum(), None);
    let settings: Vec<_> = diesel.settings().iter().filter_map(|it| it.file_name()).collect();
    assert_eq!(settings, ["metadata.toml"]);
}

#[test]
fn a_wrapper_is_blanked_in_what_runs_and_nowhere_else() {
    let reading = read("wrapped-transaction");
    let ups = || reading.folder.migrations().iter().map(|it| &it.up);
    assert!(ups().count() > 1);
    for script in ups() {
        let (text, run) = (script.file.text(), script.text_to_run());
        assert_eq!(run.len(), text.len());
        assert_ne!(run, text);
    }
    let plain = read("accepted--recorded");
    for migration in plain.folder.migrations() {
        assert_eq!(migration.up.text_to_run(), migration.up.file.text());
        assert!(!migration.up.text_to_run().is_empty());
    }
}

#[test]
fn warnings_and_errors_are_told_apart() {
    let warned = read("wrapped-transaction");
    assert_eq!(warned.errors().count(), 0);
    assert_eq!(warned.warnings().count(), warned.diagnostics.len());
    assert!(warned.is_accepted() && !warned.diagnostics.is_empty());

    let refused = read("syntax");
    assert_eq!(refused.warnings().count(), 0);
    assert_eq!(refused.errors().count(), refused.diagnostics.len());
    assert!(!refused.is_accepted() && !refused.diagnostics.is_empty());
}

#[test]
fn a_text_that_is_no_file_any_more_has_its_directives() {
    let alone = directive::of_sql("-- dunlin: no-transaction\nVACUUM;\n");
    assert!(alone.no_transaction && !alone.breaking);
    assert!(!directive::is_transactional("-- dunlin: no-transaction\nVACUUM;\n"));
    assert!(directive::is_transactional("-- dunlin: breaking\nSELECT 1;\n"));
    assert!(directive::of_sql("-- dunlin: breaking\nSELECT 1;\n").breaking);
    assert!(directive::of_rust("// dunlin: breaking\npub async fn up() {}\n").breaking);
    assert!(!directive::of_rust("pub async fn up() {}\n// dunlin: breaking\n").breaking);
}

#[test]
fn a_lock_timeout_is_a_time() {
    let of = |value: &str| {
        directive::of_sql(&format!("-- dunlin: lock-timeout {value}\nSELECT 1;\n")).lock_timeout
    };
    assert_eq!(of("500ms"), Some(Duration::from_millis(500)));
    assert_eq!(of("2s"), Some(Duration::from_secs(2)));
    assert_eq!(of("2 min"), Some(Duration::from_secs(120)));
    assert_eq!(of("off"), Some(Duration::ZERO));
    assert_eq!(of("2h"), None);
}

#[test]
fn an_allowance_keeps_its_rule_and_reason() {
    let found = directive::of_sql("-- dunlin: allow long-identifier: released so\nSELECT 1;\n");
    let [allowance] = found.allowances.as_slice() else { unreachable!("{found:?}") };
    assert_eq!((allowance.rule, allowance.reason.as_str()), (Rule::LongIdentifier, "released so"));
}

#[test]
fn a_place_is_a_line_and_a_column_of_characters() {
    let file = Arc::new(SourceFile::new("a.sql", "é\n\t日本x"));
    let place = file.location("é\n\t日本".len());
    assert_eq!((place.line(), place.column()), (2, 4));
    assert_eq!(place, Location::of_byte(file.text(), "é\n\t日本".len()));
}

#[test]
fn a_checksum_that_is_none_is_told_so() {
    assert_eq!(ParseChecksumError.to_string(), "a checksum is `sha256:` and 64 hexadecimal digits");
}
