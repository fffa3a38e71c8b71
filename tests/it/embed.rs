//! What the macro says of a folder and of its arguments, in real packages.

use dunlin_tests::Project;

/// A package of its own, outside of the workspace.
struct Package(Project);

/// What cargo said.
struct Built {
    succeeded: bool,
    text: String,
}

const MAIN: &str = r#"
static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!(ARGUMENTS);

fn main() {
    for migration in &MIGRATIONS {
        println!("{}", migration.name());
    }
}
"#;

const LONG: &str = "index_workflow_request_participants_on_workflow_request_id_and_user_id";

impl Package {
    /// A package with these migrations, whose macro has these arguments.
    fn new(name: &str, arguments: &str, migrations: &[(&str, &str)]) -> Self {
        let package = Self(Project::new(&format!("embed-{name}"), &[]));
        package.write("src/main.rs", &MAIN.replace("ARGUMENTS", arguments));
        for (name, text) in migrations {
            package.write(&format!("migrations/{name}"), text);
        }
        package
    }

    fn write(&self, path: &str, text: &str) {
        self.0.write(path, text);
    }

    fn cargo(&self, arguments: &[&str]) -> Built {
        let said = self.0.cargo(arguments);
        Built { succeeded: said.is_ok, text: said.err + &said.out }
    }

    fn build(&self) -> Built {
        self.cargo(&["build"])
    }

    /// The migrations that are in the binary.
    #[track_caller]
    fn embedded(&self) -> Vec<String> {
        let built = self.cargo(&["run", "--quiet"]);
        assert!(built.succeeded, "{}", built.text);
        built.text.lines().filter(|line| line.starts_with("000")).map(str::to_owned).collect()
    }
}

impl Built {
    /// Whether the message is there, line by line, wherever rustc indents it to.
    #[track_caller]
    fn assert_tells(&self, message: &str) {
        let lines = |text: &str| text.lines().map(|it| it.trim().to_owned()).collect::<Vec<_>>();
        let (found, wanted) = (lines(&self.text), lines(message));
        let is_there = found.windows(wanted.len()).any(|window| window == wanted);
        assert!(is_there, "not told:\n{message}\nbut:\n{}", self.text);
    }
}

const WARNING: &str = "\
warning: use of deprecated macro `long_identifier`: an identifier of 70 bytes
--> migrations/0001_index.sql:2:14
|
2 | CREATE INDEX index_workflow_request_participants_on_workflow_request_id_and_user_id ON t (a);
|              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
|
= note: PostgreSQL keeps the first 63, so the name becomes `index_workflow_request_participants_on_workflow_request_id_and_`
= note: rule `long-identifier`; the line `-- dunlin: allow long-identifier: <reason>` exempts this file
= help: choose a shorter name, or write the one it becomes
--> src/main.rs:2:65
|
2 | static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!(\"migrations\");
|                                                                 ^^^^^^^^^^^^";

fn index(name: &str) -> String {
    format!("-- An index.\nCREATE INDEX {name} ON t (a);\n")
}

#[test]
fn a_warning_reaches_the_user_and_fails_nothing() {
    let package = Package::new("warning", "\"migrations\"", &[("0001_index.sql", &index(LONG))]);
    let built = package.build();
    assert!(built.succeeded, "{}", built.text);
    built.assert_tells(WARNING);
    // A build that has nothing to do shows it again.
    package.build().assert_tells(WARNING);

    let denying = MAIN.replace("ARGUMENTS", "\"migrations\"");
    package.write("src/main.rs", &format!("#![deny(warnings)]{denying}"));
    let built = package.build();
    assert!(built.succeeded, "{}", built.text);
    built.assert_tells(WARNING);
    let built = package.cargo(&["rustc", "--", "-D", "warnings"]);
    assert!(built.succeeded, "{}", built.text);
    built.assert_tells(WARNING);
}

#[test]
fn the_macro_decides_what_is_an_error() {
    let files =
        [("0001_index.sql", index(LONG)), ("0002_x.sql", "DROP TABLE migrations;\n".to_owned())];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let arguments = "\"migrations\", deny = [\"long-identifier\"], warn = [\"history-table\"]";
    let package = Package::new("levels", arguments, &files);
    let built = package.build();
    assert!(!built.succeeded, "{}", built.text);
    built.assert_tells("error: an identifier of 70 bytes\n--> migrations/0001_index.sql:2:14");
    built.assert_tells(
        "warning: use of deprecated macro `history_table`: `DROP TABLE` on the history table `migrations`\n\
         --> migrations/0002_x.sql:1:1",
    );
    built.assert_tells("error: could not compile `embed-levels` (bin \"embed-levels\") due to 1 previous error; 1 warning emitted");

    let arguments = "allow = [\"long-identifier: 0001_index.sql\"], history_table = \"history\"";
    package.write("src/main.rs", &MAIN.replace("ARGUMENTS", arguments));
    let built = package.build();
    assert!(built.succeeded && !built.text.contains("warning"), "{}", built.text);
}

#[test]
fn every_wrong_argument_is_told_where_it_stands() {
    let arguments = "allow = [\"long-identifer\", \"duplicate-name\"], layout = \"gose\"";
    let built = Package::new("arguments", arguments, &[("0001_a.sql", "SELECT 1;\n")]).build();
    assert!(!built.succeeded);
    built.assert_tells(
        "error: no rule is called `long-identifer`; did you mean `long-identifier`?\n--> src/main.rs:2:74",
    );
    built.assert_tells(
        "error: the rule `duplicate-name` is always an error: without it the folder has no meaning, or would run in another way than it is written\n\
         --> src/main.rs:2:92",
    );
    built.assert_tells("error: unknown layout `gose`; did you mean `goose`?");
    assert!(built.text.contains("due to 3 previous errors"), "{}", built.text);
}

#[test]
fn recording_a_new_migration_builds_it_in_without_a_build_script() {
    let package = Package::new(
        "recorded",
        "",
        &[("0001_a.sql", "SELECT 1;\n"), ("dunlin.sum", "# dunlin.sum 1\n")],
    );
    let options = dunlin_core::Options::default();
    let record = || {
        dunlin_core::folder::record(&package.0.root().join("migrations"), "migrations", &options)
    };
    assert_eq!(record(), Ok(1));
    assert_eq!(package.embedded(), ["0001_a"]);
    package.write("migrations/0002_b.sql", "SELECT 2;\n");
    assert_eq!(package.embedded(), ["0001_a"], "cargo does not notice a new file");
    assert_eq!(record(), Ok(1));
    let sum = std::fs::read_to_string(package.0.root().join("migrations/dunlin.sum")).unwrap();
    package.write("migrations/dunlin.sum", &sum);
    assert_eq!(package.embedded(), ["0001_a", "0002_b"]);

    package.write("migrations/0001_a.sql", "SELECT 11;\n");
    let built = package.build();
    assert!(!built.succeeded);
    built.assert_tells(
        "error: `0001_a` is not what `dunlin.sum` records\n--> migrations/0001_a.sql:1:1\n|\n::: migrations/dunlin.sum:2:1",
    );
}

/// With a build script the macro remembers in which texts it has found nothing.
#[test]
fn what_an_earlier_build_has_found_right_hides_no_mistake() {
    let package = Package::new("remembered", "", &[("0001_a.sql", "SELECT 1;\n")]);
    package.write("build.rs", "fn main() { println!(\"cargo::rerun-if-changed=migrations\"); }\n");
    package.write("src/main.rs", &MAIN.replace("ARGUMENTS", "").replace(
        "fn main() {",
        "fn main() {\n    if std::env::args().len() > 1 { return println!(\"{}\", env!(\"OUT_DIR\")); }",
    ));
    assert_eq!(package.embedded(), ["0001_a"]);
    let out = std::process::Command::new(package.0.program("embed-remembered")).arg("out").output();
    let out = String::from_utf8(out.unwrap().stdout).unwrap();
    let memory = || {
        let files: Vec<_> = std::fs::read_dir(out.trim()).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].path()
    };
    let remembered = || std::fs::read_to_string(memory()).unwrap().matches(" up sha256:").count();
    assert_eq!(remembered(), 1);
    package.write("migrations/0002_b.sql", "SELECT 2;\n");
    assert_eq!(package.embedded(), ["0001_a", "0002_b"]);
    assert_eq!(remembered(), 2);
    package.write("migrations/0001_a.sql", "SELEKT 1;\n");
    let built = package.build();
    assert!(!built.succeeded && built.text.contains("migrations/0001_a.sql:1:1"), "{}", built.text);
    assert_eq!(remembered(), 1);

    // What the same rules have found in order is believed; what others have is forgotten.
    package.write("migrations/0001_a.sql", "SELECT 1;\n");
    assert_eq!(package.embedded(), ["0001_a", "0002_b"]);
    let dishonest =
        std::fs::read_to_string(memory()).unwrap().replace("SELECT 1;\n", "SELEKT 1;\n");
    let build_with = |text: &str| {
        std::fs::write(memory(), text).unwrap();
        package.write("migrations/0001_a.sql", "SELEKT 1;\n");
        package.build().succeeded
    };
    assert!(build_with(&dishonest));
    assert!(!build_with(&dishonest.replacen("rules ", "rules 0", 1)));
    assert!(!build_with(dishonest.split_once('\n').unwrap().1));
    package.write("migrations/0001_a.sql", "SELECT 1;\n");
    assert_eq!(package.embedded(), ["0001_a", "0002_b"]);

    // While cargo watches the folder, the compiler does not; when it no longer does, the compiler must.
    let watched = || {
        let built = package.0.program("embed-remembered");
        let files = std::fs::read_dir(built.with_file_name("deps")).unwrap();
        let mut files = files.map(|it| it.unwrap().path()).filter(|it| {
            let name = it.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("embed_remembered-") && name.ends_with(".d")
        });
        let listed = std::fs::read_to_string(files.next().unwrap()).unwrap();
        assert_eq!(files.next(), None);
        listed.contains("0001_a.sql")
    };
    assert!(!watched());
    package.write("build.rs", "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }\n");
    assert_eq!(package.embedded(), ["0001_a", "0002_b"]);
    assert!(watched());
    package.write("migrations/0002_b.sql", "SELEKT 2;\n");
    assert!(!package.build().succeeded);
}
