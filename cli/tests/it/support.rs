//! A folder for each test, and the program in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program.
pub(crate) const DUNLIN: &str = env!("CARGO_BIN_EXE_cargo-dunlin");

/// Variables that would reach a test from outside.
const VARIABLES: [&str; 21] = [
    "GITHUB_WORKSPACE",
    "DATABASE_URL",
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGDATABASE",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGOPTIONS",
    "PGAPPNAME",
    "PGCONNECT_TIMEOUT",
    "PGTARGETSESSIONATTRS",
    "NO_COLOR",
    "CI",
];

/// A folder of its own, removed with the value.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) path: PathBuf,
}

/// What a command gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    pub(crate) fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{test}"));
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    /// A project with these migrations.
    pub(crate) fn with(test: &str, files: &[(&str, &str)]) -> Self {
        let project = Self::new(test);
        fs::create_dir_all(project.path.join("migrations")).unwrap();
        for (name, text) in files {
            project.write(&format!("migrations/{name}"), text);
        }
        project
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path.join(path)).unwrap();
    }

    /// The names in the migrations folder.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path.join("migrations")).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// `cargo dunlin ...`, in an environment that says nothing of itself.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(DUNLIN);
        for variable in VARIABLES {
            let _command = command.env_remove(variable);
        }
        let _command = command
            .arg("dunlin")
            .args(arguments)
            .current_dir(&self.path)
            .env("HOME", &self.path)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(&self.command(arguments).output().unwrap())
    }

    /// The JSON that a command gives.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let ran = self.run(&[arguments, &["--format", "json"]].concat());
        let document: serde_json::Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        assert_eq!(document["schema"], 1);
        assert_eq!(document["code"], ran.code);
        assert_eq!(ran.stderr, "");
        crate::schema::hold(&document);
        assert_eq!(document["command"], arguments[0]);
        let page = include_str!("../../../docs/cli/json.md");
        for field in fields(&document) {
            assert!(page.contains(&format!("`{field}`")), "json.md says nothing of `{field}`");
        }
        document
    }

    /// The SARIF that `check` gives, held to what SARIF 2.1.0 and GitHub's code scanning ask of it.
    #[track_caller]
    pub(crate) fn sarif(&self, code: i32, arguments: &[&str]) -> serde_json::Value {
        let ran = self.run(&[&["check", "--format", "sarif"], arguments].concat());
        let document: serde_json::Value = serde_json::from_str(ran.stdout(code)).unwrap();
        assert_eq!(document["version"], "2.1.0");
        let run = &document["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let text = |it: &serde_json::Value| it["text"].as_str().is_some_and(|it| !it.is_empty());
        for rule in rules {
            for field in ["shortDescription", "fullDescription", "help"] {
                assert!(text(&rule[field]), "{field}: {rule}");
            }
            let name = rule["name"].as_str().unwrap();
            assert!(name.starts_with(|it: char| it.is_ascii_uppercase()), "{name}");
            assert!(name.chars().all(|it| it.is_ascii_alphanumeric()), "{name}");
        }
        for result in run["results"].as_array().unwrap() {
            let n_rules = rules.iter().filter(|it| it["id"] == result["ruleId"]).count();
            assert!(n_rules == 1 && text(&result["message"]), "{result}");
            assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()), "{result}");
            let Some(place) = result["locations"].get(0) else { continue };
            let place = &place["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.is_ascii() && !uri.contains(' ') && !uri.starts_with('/'), "{uri}");
            for field in ["startLine", "startColumn"] {
                assert!(place["region"][field].as_u64().is_some_and(|it| it > 0), "{place}");
            }
        }
        document
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Ana", "-c", "user.email=ana@example.org"])
            .args(["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(&self.path)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        text(&output.stdout)
    }

    pub(crate) fn commit(&self, message: &str) {
        let _added = self.git(&["add", "--all"]);
        let _committed = self.git(&["commit", "--quiet", "--message", message]);
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

impl Ran {
    /// What stands on standard output, of a command that ended like this and complained of nothing.
    #[track_caller]
    pub(crate) fn stdout(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stderr.as_str()), (code, ""), "{}", self.stdout);
        &self.stdout
    }

    /// What stands on standard output, of a command that was agreed to beforehand and has shown on standard
    /// error what it was about to do.
    #[track_caller]
    pub(crate) fn agreed(&self, shown: &str) -> &str {
        assert_eq!(self.code, 0, "{}", self.stderr);
        let is_all = self.stderr.contains(shown) && !self.stderr.contains("error: ");
        assert!(is_all, "no `{shown}` in {}", self.stderr);
        &self.stdout
    }

    /// What stands on standard error, of a command that ended like this and answered nothing.
    #[track_caller]
    pub(crate) fn stderr(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        &self.stderr
    }
}

/// The names of all fields, at any depth.
fn fields(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Array(items) => items.iter().flat_map(fields).collect(),
        serde_json::Value::Object(map) => {
            let inner = map.values().flat_map(fields);
            map.keys().cloned().chain(inner).collect()
        }
        _ => Vec::new(),
    }
}

pub(crate) fn ran(output: &Output) -> Ran {
    let code = output.status.code().unwrap_or_else(|| panic!("it was killed: {output:?}"));
    Ran { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
