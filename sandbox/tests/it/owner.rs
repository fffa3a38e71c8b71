//! The owner of a server as a process of its own, which tests kill, and what is left of it.
//!
//! It is this test binary, called with one test name and a role in the environment: a binary or
//! an example beside it would be installed by `cargo install`, or not be built by `--test it`.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use dunlin_sandbox::{Error, Server};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

const PATIENCE: Duration = Duration::from_secs(90);

/// The user other than root that every Linux and macOS has.
const NOBODY: u32 = 65534;

/// The other side of [`Owner`]; as a test of its own it has nothing to do.
#[test]
fn process() {
    let Ok(role) = std::env::var("SANDBOX_TEST_ROLE") else { return };
    let report = PathBuf::from(std::env::var_os("SANDBOX_TEST_REPORT").unwrap());
    if role == "shared" {
        // Returns with the server running: `Server::shared` never drops it.
        return tell(&report, Server::shared());
    }
    let messages = Mutex::new(fs::File::create(report.with_extension("messages")).unwrap());
    let mut builder = Server::builder()
        .on_message(move |line| writeln!(messages.lock().unwrap(), "{line}").unwrap());
    if let Some(folder) = std::env::var_os("SANDBOX_TEST_KEEP") {
        builder = builder.keep_in(folder);
    }
    if let Ok(major) = std::env::var("SANDBOX_TEST_MAJOR") {
        builder = builder.postgres_version(major.parse().unwrap());
    }
    if let Ok(setting) = std::env::var("SANDBOX_TEST_SETTING") {
        let (name, value) = setting.split_once('=').unwrap();
        builder = builder.setting(name, value);
    }
    let server = builder.start();
    tell(&report, server.as_ref());
    assert_ne!(role, "panic", "as asked");
    let Ok(server) = server else { return };
    // Until the other side closes the pipe; each line is one more database.
    for (number, line) in std::io::stdin().lines().enumerate() {
        drop((line.unwrap(), server.create_database().unwrap()));
        fs::write(report.with_extension(number.to_string()), "").unwrap();
    }
}

fn tell(report: &Path, server: Result<&Server, &Error>) {
    let text = match server {
        Ok(server) => format!(
            "ok\n{}\n{}\n{}\n",
            server.connection_string("postgres"),
            server.data_dir().display(),
            server.version()
        ),
        Err(error) => format!("error\n{error:#}\n"),
    };
    let unfinished = report.with_extension("new");
    fs::write(&unfinished, text).unwrap();
    fs::rename(unfinished, report).unwrap();
}

/// A folder everybody may use, short enough for sockets, removed with the value.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::below(Path::new("/tmp"))
    }

    pub(crate) fn below(parent: &Path) -> Self {
        use std::hash::{BuildHasher, Hasher, RandomState};
        let number = RandomState::new().build_hasher().finish() & 0xffff_ffff;
        let path = parent.join(format!("st-{number:08x}"));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o1777)).unwrap();
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).unwrap();
        let name =
            |entry: Result<fs::DirEntry, _>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A kept server whose owner was killed may be writing its last.
        let deadline = Instant::now() + PATIENCE;
        while fs::remove_dir_all(&self.path).is_err() && self.path.exists() {
            if Instant::now() > deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// How an owner is wanted.
pub(crate) struct Plan {
    command: Command,
    files: Scratch,
}

impl Plan {
    /// `serve` runs until its input ends, `shared` ends at once, `panic` panics.
    pub(crate) fn new(role: &str) -> Self {
        let files = Scratch::new();
        let program = files.join("owner");
        std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &program).unwrap();
        let mut command = Command::new(program);
        let _ = command.args(["--exact", "owner::process", "--nocapture"]);
        let _ = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut plan = Self { command, files };
        plan = plan.env("SANDBOX_TEST_ROLE", role);
        let report = plan.files.join("report");
        plan.env("SANDBOX_TEST_REPORT", report)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let _ = self.command.env(name, value);
        self
    }

    /// Throw-away folders are made here.
    pub(crate) fn in_tmpdir(self, scratch: &Scratch) -> Self {
        self.env("TMPDIR", scratch.path())
    }

    pub(crate) fn keep_in(self, folder: &Path) -> Self {
        self.env("SANDBOX_TEST_KEEP", folder)
    }

    /// As root: as another user. As anybody else: as ourselves, which is just as much not root.
    pub(crate) fn by_nobody(mut self) -> Self {
        if rustix::process::geteuid().is_root() {
            let _ = self.command.uid(NOBODY).gid(NOBODY);
        }
        // A copy, because the target folder may be closed to other users.
        let program = self.files.join("owner");
        fs::remove_file(&program).unwrap();
        shell("cp \"$1\" \"$2\"", [&std::env::current_exe().unwrap(), &program]);
        let _ = self.command.env_remove("XDG_CACHE_HOME");
        self.env("HOME", "/nonexistent")
    }

    /// In a process group of its own, as a shell starts jobs, deaf to Ctrl-C.
    pub(crate) fn deaf_to_interrupts(mut self) -> Self {
        let mut shell = Command::new("/bin/sh");
        let _ = shell.args(["-c", "trap '' INT; exec \"$@\"", "sh"]);
        let _ = shell.arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            let _ = shell.env(name, value.unwrap_or_default());
        }
        let _ = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.command = shell;
        self
    }

    pub(crate) fn start(mut self) -> Owner {
        let child = self.command.process_group(0).spawn().unwrap();
        Owner { child, files: self.files }
    }
}

/// Writes programs from another process: a file that this one had open for writing cannot be
/// executed while a child that another thread is spawning has inherited it (ETXTBSY).
pub(crate) fn shell<const N: usize>(script: &str, arguments: [&Path; N]) {
    let mut shell = Command::new("/bin/sh");
    let status = shell.args(["-c", script, "sh"]).args(arguments).status().unwrap();
    assert!(status.success(), "{script}: {status}");
}

/// A started owner; it is killed with the value.
pub(crate) struct Owner {
    child: Child,
    files: Scratch,
}

/// What an owner said about its server.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) connection: String,
    pub(crate) data: PathBuf,
    pub(crate) version: String,
}

impl Owner {
    /// Waits for what the start came to.
    pub(crate) fn outcome(&mut self) -> Result<Report, String> {
        let report = self.files.join("report");
        until("the owner reports", || report.exists() || self.child.try_wait().unwrap().is_some());
        let text = fs::read_to_string(&report).expect("the owner ended without a report");
        let mut lines = text.lines();
        if lines.next() != Some("ok") {
            return Err(lines.collect::<Vec<_>>().join("\n"));
        }
        let mut line = || lines.next().unwrap().to_owned();
        Ok(Report { connection: line(), data: line().into(), version: line() })
    }

    /// Waits until the server is up.
    pub(crate) fn ready(&mut self) -> Report {
        self.outcome().unwrap_or_else(|error| panic!("{error}"))
    }

    /// What was said through `on_message`.
    pub(crate) fn messages(&self) -> String {
        fs::read_to_string(self.files.join("report.messages")).unwrap()
    }

    /// Lets it create a database and waits for that.
    pub(crate) fn create_database(&mut self) {
        writeln!(self.child.stdin.as_ref().unwrap()).unwrap();
        let done = self.files.join("report.0");
        until("the owner created a database", || done.exists());
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it return from its test.
    pub(crate) fn finish(mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        self.child.wait().unwrap()
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Ctrl-C: the whole group gets it.
    pub(crate) fn interrupt(&self) {
        kill_process_group(pid(self.child.id()), Signal::INT).unwrap();
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        let _ = self.child.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Polls; a condition that never comes fails the test by name.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn pid(number: u32) -> Pid {
    Pid::from_raw(number.try_into().unwrap()).unwrap()
}

pub(crate) fn kill(number: u32) {
    kill_process(pid(number), Signal::KILL).unwrap();
}

/// The processes whose command line mentions a path: the keeper and the server of a folder.
pub(crate) fn processes_of(path: &Path) -> Vec<u32> {
    let path = path.to_str().unwrap();
    let ours = std::process::id();
    let mentions = |(number, line): &(u32, String)| *number != ours && line.contains(path);
    command_lines().into_iter().filter(mentions).map(|(number, _)| number).collect()
}

/// The process that runs `keeper.sh` in this folder.
pub(crate) fn keepers_of(path: &Path) -> Vec<u32> {
    let script = format!("/bin/sh\0{}\0", path.join("keeper.sh").display()).replace('\0', " ");
    let keeps = |(_, line): &(u32, String)| line.starts_with(&script);
    command_lines().into_iter().filter(keeps).map(|(number, _)| number).collect()
}

#[cfg(target_os = "linux")]
fn command_lines() -> Vec<(u32, String)> {
    let processes = fs::read_dir("/proc").unwrap();
    let read = |entry: fs::DirEntry| {
        let number = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        Some((number, String::from_utf8_lossy(&line).replace('\0', " ")))
    };
    processes.filter_map(|entry| read(entry.ok()?)).collect()
}

#[cfg(not(target_os = "linux"))]
fn command_lines() -> Vec<(u32, String)> {
    let output = Command::new("ps").args(["axww", "-o", "pid=,args="]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let read = |line: &str| {
        let (number, line) = line.trim_start().split_once(' ')?;
        Some((number.parse().ok()?, line.to_owned()))
    };
    text.lines().filter_map(read).collect()
}

/// The server's process, and the key of the System V segment that guards its data.
pub(crate) fn postmaster(data: &Path) -> (u32, String) {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    (lines[0].parse().unwrap(), lines[6].split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether a segment `key number` of [`postmaster`] exists. Elsewhere than on Linux there is no
/// list to read without a tool, and the answer is no.
pub(crate) fn segment_exists(segment: &str) -> bool {
    let Ok(table) = fs::read_to_string("/proc/sysvipc/shm") else { return false };
    let row = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    table.lines().any(|line| row(line) == segment)
}
