//! Registries of files a test writes, through the same core as the macro.

use dunlin::Registry;
use dunlin_core::Folder;
use dunlin_core::folder::Language;

use dunlin::__private as generated;

/// Writes files into a new temporary folder and returns it.
pub fn folder(files: &[(&str, &str)]) -> std::path::PathBuf {
    let folder =
        std::env::temp_dir().join(format!("dunlin-test-{}-{:x}", std::process::id(), random()));
    std::fs::create_dir(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    folder
}

/// The registry of SQL files, as the macro would make it. It lives as long as the test process.
pub fn registry(files: &[(&str, &str)]) -> Registry {
    let folder = folder(files);
    let reading = Folder::read(&folder, "migrations", &[]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(reading.diagnostics.is_empty(), "{}", reading.diagnostics[0]);
    let sql_file = |script: &dunlin_core::folder::Script| generated::SqlFile {
        path: script.file.path().to_owned().leak(),
        text: script.file.text().to_owned().leak(),
        transactional: matches!(script.language, Language::Sql { transactional: true }),
    };
    let migrations: Vec<_> = reading
        .folder
        .migrations()
        .iter()
        .map(|it| {
            let version: &'static str = it.version.as_str().to_owned().leak();
            let version = match it.version.kind() {
                dunlin_core::VersionKind::Counter => generated::counter(version),
                dunlin_core::VersionKind::Timestamp => generated::timestamp(version),
            };
            let down = it.down.as_ref().map(sql_file);
            generated::sql(
                it.name.clone().leak(),
                version,
                *it.up.checksum.as_bytes(),
                sql_file(&it.up),
                down,
            )
        })
        .collect();
    generated::registry(
        migrations.leak(),
        reading.folder.fingerprint(),
        "migrations",
        "migrations",
        None,
        &[],
    )
}

fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}
