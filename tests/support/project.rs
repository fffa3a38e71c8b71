//! A cargo project of a user, built by a real cargo.
//!
//! All projects share one target folder below the tests' own, so that what they depend on is
//! compiled once, and one after the other. Nothing is downloaded: the versions are those of the
//! workspace.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A project in a folder of its own.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
}

/// What a program or a compiler has said.
#[derive(Debug)]
pub struct Said {
    /// Whether it ended well.
    pub is_ok: bool,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// The workspace of these tests.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

impl Project {
    /// A package of this name with files, which depends on `dunlin` under that name.
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let project = Self::workspace(name, files);
        project.write("Cargo.toml", &format!("{}\n[workspace]\n", manifest(name, "dunlin")));
        project
    }

    /// Only files; their `Cargo.toml` is among them, or is made with [`manifest`].
    pub fn workspace(name: &str, files: &[(&str, &str)]) -> Self {
        let root = scratch().join(name);
        if root.exists() {
            std::fs::remove_dir_all(&root).unwrap();
        }
        std::fs::create_dir_all(&root).unwrap();
        let _n_bytes =
            std::fs::copy(workspace().join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
        let project = Self { root };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file, and the folders it lies in.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) {
        std::fs::remove_file(self.root.join(path)).unwrap();
    }

    /// Renames a file.
    pub fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.root.join(from), self.root.join(to)).unwrap();
    }

    /// Runs cargo in the project, offline.
    pub fn cargo(&self, arguments: &[&str]) -> Said {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        let _command = command
            .current_dir(&self.root)
            .args(arguments)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TARGET_DIR", scratch().join("target"))
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("RUSTC_WORKSPACE_WRAPPER");
        Said::of(&command.output().unwrap())
    }

    /// As [`cargo`](Self::cargo), and it must end well.
    #[track_caller]
    pub fn must(&self, arguments: &[&str]) -> Said {
        let said = self.cargo(arguments);
        assert!(said.is_ok, "cargo {arguments:?}:\n{}\n{}", said.out, said.err);
        said
    }

    /// A program that was built.
    pub fn program(&self, name: &str) -> PathBuf {
        scratch().join("target/debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

impl Said {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            is_ok: output.status.success(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// The errors of the compiler, each from its headline to the blank line behind it, without
    /// cargo's own about the whole build.
    pub fn errors(&self) -> Vec<String> {
        let mut errors: Vec<String> = Vec::new();
        let mut is_open = false;
        for line in self.err.lines() {
            if line.starts_with("error") {
                is_open = !line.starts_with("error: could not compile");
                errors.extend(is_open.then(String::new));
            }
            is_open &= !line.is_empty();
            if let (true, Some(error)) = (is_open, errors.last_mut()) {
                *error += &format!("{line}\n");
            }
        }
        errors
    }
}

/// The manifest of a package that depends on the runtime under some name.
pub fn manifest(name: &str, dependency: &str) -> String {
    let runtime = workspace().join("runtime");
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{dependency} = {{ package = \"dunlin\", path = {:?} }}\n\
         deadpool-postgres = \"0.14\"\ntokio-postgres = \"0.7\"\n\
         tokio = {{ version = \"1\", features = [\"rt\", \"time\"] }}\n\n\
         [profile.dev]\ndebug = 0\n",
        runtime.display().to_string()
    )
}

fn scratch() -> PathBuf {
    // Cargo makes `tmp` for the integration tests of a build; this is its neighbour's path.
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("tmp/embed")
}
