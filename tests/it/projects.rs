//! `embed_migrations!` in the projects of users: what is built again, and where the macro may stand.

use std::process::Command;

use dunlin_tests::{Project, manifest};

/// Prints what was embedded, and then what a run says where there is no server.
const MAIN: &str = r#"
static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!();

fn main() {
    for migration in &MIGRATIONS {
        println!("{} {}", migration.name(), migration.text().trim());
    }
    let mut config = tokio_postgres::Config::new();
    config.host_path("/nowhere").user("nobody");
    let manager = deadpool_postgres::Manager::new(config, tokio_postgres::NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(dunlin::Migrator::new(&MIGRATIONS).apply(&pool)).unwrap_err();
    println!("{:?}\n{error:#}", error.kind());
}
"#;

const BUILD: &str = "fn main() { println!(\"cargo::rerun-if-changed=migrations\"); }\n";

const RUST: &str = "pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> {\n    cx.batch_execute(\"SELECT 1\").await\n}\n";

/// Builds and runs; gives the lines before the error, and the error.
fn run(project: &Project) -> (Vec<String>, String) {
    let said = project.must(&["run", "--quiet"]).out;
    let (lines, error) =
        said.split_once("\nConnection\n").or_else(|| said.split_once("\nStale\n")).unwrap();
    (lines.lines().map(str::to_owned).collect(), error.to_owned())
}

#[test]
fn with_a_build_script_every_change_is_noticed() {
    let project = Project::new(
        "project-script",
        &[("src/main.rs", MAIN), ("build.rs", BUILD), ("migrations/1_a.sql", "SELECT 1;")],
    );
    let embeds = |lines: &[&str]| assert_eq!(run(&project).0, lines);
    embeds(&["1_a SELECT 1;"]);
    project.write("migrations/1_a.sql", "SELECT 'edited';");
    embeds(&["1_a SELECT 'edited';"]);
    project.write("migrations/2_b.sql", "SELECT 2;");
    embeds(&["1_a SELECT 'edited';", "2_b SELECT 2;"]);
    project.rename("migrations/2_b.sql", "migrations/3_c.sql");
    embeds(&["1_a SELECT 'edited';", "3_c SELECT 2;"]);
    project.remove("migrations/1_a.sql");
    embeds(&["3_c SELECT 2;"]);
    project.write("migrations/4_d.rs", RUST);
    assert_eq!(run(&project).0[1], format!("4_d {}", RUST.lines().next().unwrap()));
    project.write("migrations/4_d.rs", &format!("// Edited.\n{RUST}"));
    assert_eq!(run(&project).0[1], "4_d // Edited.");
}

#[test]
fn without_a_build_script_a_new_file_is_a_stale_build_that_says_so() {
    let project = Project::new(
        "project-stale",
        &[("src/main.rs", MAIN), ("migrations/1_a.sql", "SELECT 1;"), ("migrations/2_b.rs", RUST)],
    );
    assert_eq!(run(&project).0.len(), 4);
    project.write("migrations/1_a.sql", "SELECT 'edited';");
    project.write("migrations/2_b.rs", &format!("// Edited.\n{RUST}"));
    let (lines, error) = run(&project);
    assert_eq!(lines[..2], ["1_a SELECT 'edited';", "2_b // Edited."]);
    assert!(error.starts_with("no connection to the database: "), "{error}");

    project.write("migrations/3_c.sql", "SELECT 3;");
    assert_eq!(
        run(&project).1,
        "\
this build is stale: `3_c` is in the folder but was not embedded
  = note: compared with the folder `migrations`; nothing was changed in the database
  = help: build again; so that cargo notices new files by itself, add a build.rs beside Cargo.toml with
          fn main() { println!(\"cargo::rerun-if-changed=migrations\"); }
"
    );
    // Whatever rebuilds the crate takes the file in.
    project.write("src/main.rs", &format!("{MAIN}\n"));
    assert_eq!(run(&project).0.last().unwrap(), "3_c SELECT 3;");
    project.remove("migrations/3_c.sql");
    assert_eq!(run(&project).0.len(), 5);
}

#[test]
fn a_release_build_knows_nothing_of_the_folder() {
    let project = Project::new(
        "project-release",
        &[
            ("src/main.rs", MAIN),
            ("migrations/1_a.sql", "SELECT 1;"),
            ("migrations/1_a.down.sql", "SELECT 1;"),
            ("migrations/2_b.sql", "-- dunlin: no-transaction\nSELECT 2;"),
        ],
    );
    // As in a release build, without compiling everything else once more.
    let release = ["--config", "profile.dev.package.project-release.debug-assertions=false"];
    let _said = project.must(&[&["build"], &release[..]].concat());
    let program = project.program("project-release");
    let bytes = std::fs::read(&program).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("migrations/1_a.sql") && holds("migrations/2_b.sql"));
    let folder = project.root().display().to_string();
    assert!(!holds(&folder), "{folder} is in the program");

    project.write("migrations/3_c.sql", "SELECT 3;");
    let said = Command::new(program).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("\nConnection\nno connection to the database: "), "{said}");
}

/// The lints a strict crate has, none of which the user can do anything about in generated code.
const STRICT: &str = "#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused, unreachable_pub, missing_debug_implementations)]
#![deny(elided_lifetimes_in_paths, unused_qualifications, unused_results, unused_lifetimes)]
#![deny(single_use_lifetimes, trivial_casts, let_underscore_drop, redundant_imports, unused_crate_dependencies)]
//! A crate.
use deadpool_postgres as _;
use tokio as _;
use tokio_postgres as _;
";

#[test]
fn a_strict_crate_in_a_workspace_with_another_name_for_the_dependency() {
    let library = format!(
        "{STRICT}
/// A constant.
pub const CONST: db::Registry = db::embed_migrations!();
/// A static.
pub static STATIC: db::Registry = db::embed_migrations!(\"migrations\");
/// A function.
#[must_use]
pub fn function() -> db::Registry {{
    db::embed_migrations!(\"../shared\", ignore = [\"notes.txt\"])
}}
mod inner {{
    pub(crate) struct Holder<T>(pub(crate) T);
    impl<T> Holder<T> {{
        pub(crate) fn registry(&self) -> (&T, &'static db::Registry) {{
            static INSIDE: db::Registry = db::embed_migrations!(r\"../shared\", ignore = [\"notes.txt\",],);
            (&self.0, &INSIDE)
        }}
    }}
}}
/// The number of all.
#[must_use]
pub fn n_migrations() -> usize {{
    let inside = inner::Holder(()).registry().1.len();
    CONST.len() + STATIC.len() + function().len() + inside
}}
"
    );
    let test = "#[test]
fn embeds() {
    const _: db::Registry = db::embed_migrations!();
    assert_eq!(app::n_migrations(), 2 + 2 + 1 + 1);
    assert!(db::embed_migrations!().iter().all(|migration| migration.has_undo()));
    assert_eq!(db::embed_migrations!().folder(), \"crates/app/migrations\");
}
";
    let main = format!(
        "{STRICT}use db as _;\nfn main() {{\n    std::process::exit(i32::from(app::n_migrations() != 6));\n}}\n"
    );
    let rust = format!(
        "{RUST}\npub async fn down(_cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> {{\n    Ok(())\n}}\n"
    );
    let project = Project::workspace(
        "project-strict",
        &[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"crates/app\"]\nresolver = \"3\"\n[profile.dev]\ndebug = 0\n",
            ),
            ("crates/app/Cargo.toml", manifest("app", "db").split("[profile").next().unwrap()),
            ("crates/app/src/lib.rs", &library),
            ("crates/app/src/main.rs", &main),
            ("crates/app/tests/embeds.rs", test),
            ("crates/app/migrations/1_a.sql", "SELECT 1;"),
            ("crates/app/migrations/1_a.down.sql", "SELECT 1;"),
            ("crates/app/migrations/2_b.rs", &rust.replace("dunlin::", "db::")),
            ("crates/shared/20250101-a.sql", "SELECT 1;"),
            ("crates/shared/notes.txt", "not a migration"),
            ("crates/shared/README.md", "not one either"),
        ],
    );
    let said = project.must(&["test", "--workspace"]);
    assert!(!said.err.contains("warning"), "{}", said.err);
    assert!(said.out.contains("test embeds ... ok"), "{}", said.out);
    let _said = project.must(&["run"]);
}

/// A folder with a mistake of each kind, in the order they are told.
const MISTAKES: [(&str, &str); 6] = [
    ("0001_a.sql", "CREATE TABLE a (name text DEFAULT 'x);\n"),
    ("0002_b.sql", "SELECT 'é表';  COMMIT;\nVACUUM;\n"),
    ("0002_c.sql", "-- dunlin: no-transactoin\nSELECT 1;\n"),
    ("0009_gone.down.sql", "SELECT 1;"),
    ("add_users.sql", "SELECT 1;"),
    ("notes.txt", "?"),
];

#[test]
fn every_mistake_of_a_folder_is_its_own_error_in_one_build() {
    let project = Project::workspace(
        "project-mistakes",
        &[("Cargo.toml", "[workspace]\nmembers = [\"app\"]\nresolver = \"3\"\n")],
    );
    project.write(
        "app/Cargo.toml",
        manifest("project-mistakes", "dunlin").split("[profile").next().unwrap(),
    );
    for (name, text) in MISTAKES {
        project.write(&format!("app/migrations/{name}"), text);
    }
    // What is done with the registry must not make more errors.
    project.write(
        "app/src/main.rs",
        "static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!(\"migrations\");\n\
         fn main() {\n    let n: usize = MIGRATIONS.len() + MIGRATIONS.iter().count();\n    println!(\"{n}\");\n}\n",
    );
    let said = project.cargo(&["build"]);
    assert!(!said.is_ok);
    let errors = said.errors();
    let (second_lines, headlines): (Vec<_>, Vec<_>) = errors
        .iter()
        .map(|error| {
            (error.lines().nth(1).unwrap_or_default(), error.lines().next().unwrap_or_default())
        })
        .unzip();
    assert_eq!(
        headlines,
        [
            "error: unterminated string",
            "error: `COMMIT` in a migration",
            "error: `VACUUM` cannot run in a transaction, and this file is one",
            "error: duplicate version `0002`",
            "error: unknown directive `no-transactoin`",
            "error: an undo without its migration `0009_gone.sql`",
            "error: `add_users.sql` is not the name of a migration",
            "error: a file that is not a migration: `notes.txt`",
        ],
        "{}",
        said.err
    );
    // rustc indents it by the width of `error: `; editors do not mind.
    assert_eq!(
        second_lines.iter().map(|line| line.trim_start()).collect::<Vec<_>>(),
        [
            "--> app/migrations/0001_a.sql:1:35",
            "--> app/migrations/0002_b.sql:1:15",
            "--> app/migrations/0002_b.sql:2:1",
            "--> app/migrations/0002_c.sql:1:1",
            "--> app/migrations/0002_c.sql:1:12",
            "--> app/migrations/0009_gone.down.sql:1:1",
            "--> app/migrations/add_users.sql:1:1",
            "--> app/migrations/notes.txt:1:1",
        ]
    );
    assert_eq!(
        errors[0],
        "\
error: unterminated string
        --> app/migrations/0001_a.sql:1:35
         |
       1 | CREATE TABLE a (name text DEFAULT 'x);
         |                                   ^ opened here and never closed
         |
         = help: close it with `'`, or write `''` for a quote inside the string
 --> app/src/main.rs:1:65
  |
1 | static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!(\"migrations\");
  |                                                                 ^^^^^^^^^^^^
"
    );
}

#[test]
fn mistakes_in_the_call_are_told_where_they_are() {
    let project = Project::new(
        "project-calls",
        &[(
            "src/main.rs",
            "use dunlin::{Registry, embed_migrations};
static A: Registry = embed_migrations!();
static B: Registry = embed_migrations!(\"../nowhere\");
static C: Registry = embed_migrations!(\"src/main.rs\");
static D: Registry = embed_migrations!(folder = \"migrations\");
static E: Registry = embed_migrations!(\"migrations\", ignored = [\"x\"]);
static F: Registry = embed_migrations!(\"migrations\" \"x\");
static G: Registry = embed_migrations!(concat!(\"migra\", \"tions\"));
static H: Registry = embed_migrations!(\"migrations\", ignore = \"x\");
fn main() {
    println!(\"{}\", A.len() + B.len() + C.len() + D.len() + E.len() + F.len() + G.len() + H.len());
}
",
        )],
    );
    let said = project.cargo(&["build"]);
    assert!(!said.is_ok);
    let arguments = "the arguments are `ignore = [\"file\"]`, `layout = \"sqlx\"`, `deny`, `warn` and `allow = [\"rule\"]`, `history_table = \"name\"` and `syntax = false`";
    let found: Vec<_> = said
        .errors()
        .iter()
        .map(|error| {
            let place = error.lines().find(|line| line.trim_start().starts_with("--> src/main.rs"));
            let line =
                place.and_then(|line| line.rsplit(':').nth(1)).unwrap_or_default().to_owned();
            (error.lines().next().unwrap_or_default().to_owned(), line)
        })
        .collect();
    let expected = [
        ("error: no migrations folder at `migrations`".to_owned(), "2"),
        (format!("error: no migrations folder at `{}`", outside(&project, "nowhere")), "3"),
        ("error: `src/main.rs` is not a folder".to_owned(), "4"),
        (format!("error: unknown argument `folder`; {arguments}"), "5"),
        (format!("error: unknown argument `ignored`; {arguments}"), "6"),
        ("error: expected `,`".to_owned(), "7"),
        (format!("error: unknown argument `concat`; {arguments}"), "8"),
        ("error: expected square brackets".to_owned(), "9"),
    ];
    let expected: Vec<_> =
        expected.into_iter().map(|(text, line)| (text, line.to_owned())).collect();
    assert_eq!(found, expected, "{}", said.err);
    let missing = &said.errors()[0];
    assert!(missing.contains("= note: paths are relative to the `Cargo.toml` of the crate, here in the workspace's root\n"), "{missing}");
    assert!(
        missing
            .contains("= help: create the folder, or pass its path: embed_migrations!(\"path\")\n"),
        "{missing}"
    );
}

/// A path beside the project, which is outside of its workspace and so shown as it is.
fn outside(project: &Project, name: &str) -> String {
    project.root().parent().unwrap().join(name).display().to_string()
}
