//! Small applications that embed 1,000 migrations, one for each tool, and building them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io};

use nix::sys::resource::{UsageWho, getrusage};

use crate::migrations::{self, Layout};
use crate::{Result, report};

/// How many migrations they embed.
pub const N_MIGRATIONS: usize = 1_000;

/// What every one of them has, and what the crates of a tool are counted beyond.
const COMMON_DEPENDENCIES: &str = r#"tokio-postgres = "0.7"
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
"#;

/// An application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// Without migrations.
    Baseline,
    /// Dunlin with its defaults, deadpool included.
    Dunlin,
    /// Dunlin for a `tokio_postgres::Client`.
    DunlinWithoutPool,
    /// refinery for tokio-postgres.
    Refinery,
    /// sqlx with PostgreSQL and migrations.
    Sqlx,
    /// diesel with PostgreSQL, and `diesel_migrations`.
    Diesel,
}

/// An application on disk.
#[derive(Debug)]
pub struct Project {
    folder: PathBuf,
    application: Application,
    n_edits: u32,
}

/// What a build took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// By the clock.
    pub wall: Duration,
    /// Of all processors.
    pub cpu: Duration,
}

impl Application {
    /// All of them, as the tables show them.
    pub const ALL: [Self; 6] = [
        Self::Baseline,
        Self::Dunlin,
        Self::DunlinWithoutPool,
        Self::Refinery,
        Self::Sqlx,
        Self::Diesel,
    ];

    /// As the tables call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "no migrations",
            Self::Dunlin => "**Dunlin**",
            Self::DunlinWithoutPool => "**Dunlin** without deadpool",
            Self::Refinery => "refinery",
            Self::Sqlx => "sqlx",
            Self::Diesel => "diesel_migrations",
        }
    }

    /// Whether it is another tool.
    #[must_use]
    pub const fn is_peer(self) -> bool {
        matches!(self, Self::Refinery | Self::Sqlx | Self::Diesel)
    }

    const fn layout(self) -> Option<Layout> {
        match self {
            Self::Baseline => None,
            Self::Dunlin | Self::DunlinWithoutPool | Self::Sqlx => Some(Layout::Flat),
            Self::Refinery => Some(Layout::Refinery),
            Self::Diesel => Some(Layout::Diesel),
        }
    }

    fn dependencies(self) -> String {
        let own = match self {
            Self::Baseline => "",
            Self::Dunlin => "dunlin = \"0.1\"\n",
            Self::DunlinWithoutPool => {
                "dunlin = { version = \"0.1\", default-features = false, features = [\"syntax\"] }\n"
            }
            Self::Refinery => {
                r#"refinery = { version = "0.10", default-features = false, features = ["tokio-postgres"] }
"#
            }
            Self::Sqlx => {
                r#"sqlx = { version = "0.9", default-features = false, features = ["runtime-tokio", "postgres", "migrate", "macros"] }
"#
            }
            Self::Diesel => {
                r#"diesel = { version = "2.3", default-features = false, features = ["postgres"] }
diesel_migrations = { version = "2.3", features = ["postgres"] }
"#
            }
        };
        format!("{COMMON_DEPENDENCIES}{own}")
    }

    /// What stands above `main`, and what `main` does when it is connected.
    const fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::Baseline => ("", "let _one = client.query_one(\"SELECT 1\", &[]).await?;"),
            Self::Dunlin | Self::DunlinWithoutPool => (
                "static MIGRATIONS: dunlin::Registry = dunlin::embed_migrations!();",
                "let _report = dunlin::Migrator::new(&MIGRATIONS).apply(&mut client).await?;",
            ),
            Self::Refinery => (
                "mod embedded { refinery::embed_migrations!(\"migrations\"); }",
                "let _report = embedded::migrations::runner().run_async(&mut client).await?;",
            ),
            Self::Sqlx => (
                "static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();",
                "drop(client);
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await?;
    MIGRATIONS.run(&mut connection).await?;",
            ),
            Self::Diesel => (
                "use diesel::Connection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
const MIGRATIONS: EmbeddedMigrations = embed_migrations!();",
                "drop(client);
    let mut connection = diesel::PgConnection::establish(&url)?;
    let _versions = connection.run_pending_migrations(MIGRATIONS).map_err(|error| error.to_string())?;",
            ),
        }
    }
}

impl Project {
    /// Writes an application into a folder of its own, beside the packages it is built from.
    ///
    /// # Errors
    ///
    /// What the file system or cargo says.
    pub fn write(parent: &Path, application: Application) -> Result<Self> {
        let folder = parent.join(format!("{application:?}").to_lowercase());
        fs::create_dir_all(folder.join("src"))?;
        let dependencies = application.dependencies();
        let manifest = format!(
            "[package]\nname = \"application\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependencies}\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("Cargo.lock"), report::LOCK_FILE)?;
        if let Some(layout) = application.layout() {
            migrations::write(&folder.join("migrations"), layout, N_MIGRATIONS)?;
            // New files are noticed by no tool without it.
            let watch = "fn main() {\n    println!(\"cargo::rerun-if-changed=migrations\");\n}\n";
            fs::write(folder.join("build.rs"), watch)?;
        }
        let project = Self { folder, application, n_edits: 0 };
        project.write_main(0)?;
        // Drops from the lock file what this application does not need.
        let _resolved = project.said(&["tree", "--offline"])?;
        Ok(project)
    }

    /// The crates it is built from, itself not among them.
    ///
    /// # Errors
    ///
    /// What cargo says.
    pub fn crates(&self) -> Result<BTreeSet<String>> {
        let tree = self.said(&[
            "tree",
            "--offline",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])?;
        let krate = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let crates = tree.lines().map(krate);
        Ok(crates.filter(|it| !it.is_empty() && !it.starts_with("application ")).collect())
    }

    /// Changes the application's own code.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn edit_code(&mut self) -> Result<()> {
        self.n_edits += 1;
        Ok(self.write_main(self.n_edits)?)
    }

    /// Changes a migration in the middle.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn edit_migration(&mut self) -> Result<()> {
        let Some(layout) = self.application.layout() else { return Ok(()) };
        self.n_edits += 1;
        let number = N_MIGRATIONS / 2;
        let path = self.folder.join("migrations").join(migrations::path(layout, number));
        let text = format!("{}-- Edit {}.\n", migrations::text(number), self.n_edits);
        Ok(fs::write(path, text)?)
    }

    /// Runs `cargo build` or `cargo check`, which must have something to do.
    ///
    /// # Errors
    ///
    /// What cargo says.
    pub fn build(&self, arguments: &[&str]) -> Result<Cost> {
        let (before, begun) = (children_cpu()?, Instant::now());
        let output = self.cargo(arguments).arg("--offline").stderr(Stdio::piped()).output()?;
        let (wall, after) = (begun.elapsed(), children_cpu()?);
        let text = String::from_utf8_lossy(&output.stderr);
        let built = ["Compiling application", "Checking application"];
        if !output.status.success() || !built.iter().any(|it| text.contains(it)) {
            return Err(format!("{:?}, cargo {arguments:?}:\n{text}", self.application).into());
        }
        Ok(Cost { wall, cpu: after.saturating_sub(before) })
    }

    /// Forgets everything that was built.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn clean(&self) -> Result<()> {
        match fs::remove_dir_all(self.target()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The size of the binary of `debug` or `release`, in bytes.
    ///
    /// # Errors
    ///
    /// When it has not been built.
    pub fn size(&self, profile: &str) -> Result<u64> {
        Ok(fs::metadata(self.target().join(profile).join("application"))?.len())
    }

    fn write_main(&self, edit: u32) -> io::Result<()> {
        let (items, migrate) = self.application.code();
        let text = format!(
            "{items}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let url = std::env::var(\"DATABASE_URL\")?;
    #[allow(unused_mut)]
    let (mut client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    drop(tokio::spawn(connection));
    {migrate}
    println!(\"ready ({edit})\");
    Ok(())
}}
"
        );
        fs::write(self.folder.join("src/main.rs"), text)
    }

    fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        let _configured = command
            .args(arguments)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.target())
            .env("CARGO_TERM_COLOR", "never")
            .stdin(Stdio::null());
        // What the surrounding `cargo run` has set is not the application's.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                let _configured = command.env_remove(&*name);
            }
        }
        command
    }

    fn said(&self, arguments: &[&str]) -> Result<String> {
        let output = self.cargo(arguments).output()?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{:?}, cargo {arguments:?}:\n{text}", self.application).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn children_cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = |it: nix::sys::time::TimeVal| it.tv_sec() * 1_000_000 + it.tv_usec();
    let total = microseconds(usage.user_time()) + microseconds(usage.system_time());
    Ok(Duration::from_micros(u64::try_from(total)?))
}
