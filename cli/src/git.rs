//! What git has of a folder: the program `git`, asked as a subprocess.
//!
//! A library for git would be a large part of the build, and would not know the user's settings. Only
//! commands are used whose output is made for programs.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dunlin_core::{Folder, Options};

use crate::answer::Failure;
use crate::exit::Exit;
use crate::folder::Source;

/// The branch a folder is to be merged into, as far as the clone shows it.
#[derive(Debug)]
pub(crate) struct Branch {
    /// What it has.
    pub(crate) released: Folder,
    /// Its `dunlin.sum`.
    pub(crate) sum: Option<Vec<u8>>,
    /// What it had when the folder's own branch began; nothing in a clone that does not reach so far.
    pub(crate) began: Option<Folder>,
}

/// Reads the folder as a commit has it, and as it was when this branch left that commit's.
pub(crate) fn branch(source: &Source, reference: &str) -> Result<Branch, Box<Failure>> {
    // An argument that begins with a dash would be an option of git.
    if reference.is_empty() || reference.starts_with('-') {
        return Failure::usage(format!("`{reference}` is no commit of git")).into();
    }
    let git = Git::at(&source.path)?;
    let commit = git.commit(reference)?;
    let (released, sum) = git.folder(&commit, source, "base")?;
    let began = match git.merge_base(&commit)? {
        Some(began) => Some(git.folder(&began, source, "began")?.0),
        None => None,
    };
    Ok(Branch { released, sum, began })
}

/// git in the folder of a source.
#[derive(Debug)]
struct Git {
    /// A folder inside of the repository that exists.
    directory: PathBuf,
    /// The migrations folder's path in the repository, with `/` at its end unless it is the root.
    prefix: String,
}

impl Git {
    fn at(folder: &Path) -> Result<Self, Box<Failure>> {
        // A folder that is not here may still be on the branch.
        let directory = folder
            .ancestors()
            .map(|it| if it.as_os_str().is_empty() { Path::new(".") } else { it })
            .find(|it| it.is_dir())
            .unwrap_or(Path::new("."));
        let git = Self { directory: directory.to_owned(), prefix: String::new() };
        let here = git.command(&["rev-parse", "--show-prefix"]).stderr(Stdio::piped()).output();
        let here = here.map_err(|error| no_git(&error))?;
        if !here.status.success() {
            let headline = format!("`{}` is not in a repository of git", folder.display());
            let failure = Failure::new(Exit::Usage, headline)
                .note("a base is a commit, branch or tag of git");
            // Such as that the folder belongs to somebody else, and what to do about it.
            let said = text(&here.stderr);
            return said
                .lines()
                .fold(failure, |failure, line| failure.note(format!("git: {}", line.trim())))
                .into();
        }
        let here = here.stdout;
        let rest = folder.strip_prefix(directory).unwrap_or(Path::new(""));
        let rest = rest.to_string_lossy().replace('\\', "/");
        let rest = if rest.is_empty() { rest } else { format!("{rest}/") };
        Ok(Self { prefix: format!("{}{rest}", text(&here).trim_end_matches('\n')), ..git })
    }

    /// The commit that a reference means.
    fn commit(&self, reference: &str) -> Result<String, Box<Failure>> {
        let name = format!("{reference}^{{commit}}");
        if let Some(found) = self.ask(&["rev-parse", "--verify", "--quiet", &name])? {
            return Ok(text(&found).trim().to_owned());
        }
        let branch = reference.strip_prefix("origin/").unwrap_or(reference);
        Failure::usage(format!("git knows no commit `{reference}` here"))
            .note("a clone made for CI often has one branch and one commit only")
            .help(format!("git fetch origin {branch}:refs/remotes/origin/{branch}"))
            .into()
    }

    /// The commit at which this branch left another one.
    fn merge_base(&self, commit: &str) -> Result<Option<String>, Box<Failure>> {
        let found = self.ask(&["merge-base", "HEAD", commit])?;
        Ok(found.map(|it| text(&it).trim().to_owned()).filter(|it| !it.is_empty()))
    }

    /// The migrations folder of a commit, read by core like any other, and its `dunlin.sum`.
    fn folder(
        &self,
        commit: &str,
        source: &Source,
        name: &str,
    ) -> Result<(Folder, Option<Vec<u8>>), Box<Failure>> {
        let scratch = Scratch::new(name)?;
        let files = self.files(commit)?;
        let texts = self.texts(&files)?;
        let mut sum = None;
        for (file, text) in files.iter().zip(texts) {
            let path = scratch.0.join(&file.path);
            let written = path.parent().map_or(Ok(()), fs::create_dir_all);
            written.and_then(|()| fs::write(&path, &text)).map_err(unwritable)?;
            if file.path == dunlin_core::sum::FILE_NAME {
                sum = Some(text);
            }
        }
        // What a branch has is what it has; its own findings are its own affair, and unfinished
        // business with its sum would hide none of its migrations.
        let options = Options {
            levels: dunlin_core::Levels::default(),
            syntax: false,
            ..source.options.clone()
        };
        let folder = Folder::read(&scratch.0, &source.shown, &options).folder;
        Ok((folder, sum))
    }

    /// The files below the folder in a commit.
    fn files(&self, commit: &str) -> Result<Vec<Blob>, Box<Failure>> {
        let path = if self.prefix.is_empty() { "." } else { self.prefix.as_str() };
        let asked = ["ls-tree", "-r", "-z", "--full-tree", commit, "--", path];
        // The root of a repository is not a path that `--full-tree` takes.
        let asked = if self.prefix.is_empty() { &asked[..5] } else { &asked[..] };
        let listed = self.ask(asked)?.unwrap_or_default();
        let listed = text(&listed);
        let blobs = listed.split('\0').filter_map(|entry| {
            // `<mode> <type> <object>\t<path>`
            let (about, path) = entry.split_once('\t')?;
            let mut about = about.split(' ');
            let (mode, kind, object) = (about.next()?, about.next()?, about.next()?);
            let path = path.strip_prefix(&self.prefix)?;
            // The text of a link is a path.
            let is_file = kind == "blob" && mode != "120000";
            is_file.then(|| Blob { object: object.to_owned(), path: path.to_owned() })
        });
        Ok(blobs.collect())
    }

    /// The texts of blobs, in order.
    fn texts(&self, files: &[Blob]) -> Result<Vec<Vec<u8>>, Box<Failure>> {
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| no_git(&error))?;
        let objects: String = files.iter().map(|it| format!("{}\n", it.object)).collect();
        let stdin = child.stdin.take();
        // Written from another thread: git answers while it reads, and a pipe holds only so much.
        let writer = std::thread::spawn(move || {
            stdin.map_or(Ok(()), |mut stdin| stdin.write_all(objects.as_bytes()))
        });
        let mut answer = Vec::new();
        let read = child.stdout.take().map(|mut it| it.read_to_end(&mut answer));
        let waited = child.wait();
        drop((writer.join(), read));
        let texts =
            waited.is_ok_and(|it| it.success()).then(|| cut(&answer, files.len())).flatten();
        texts.ok_or_else(|| {
            Box::new(Failure::new(Exit::Folder, "git does not give the files of the base"))
        })
    }

    /// The output of a command, or nothing when git says that it found nothing.
    fn ask(&self, arguments: &[&str]) -> Result<Option<Vec<u8>>, Box<Failure>> {
        let output = self.command(arguments).output().map_err(|error| no_git(&error))?;
        Ok(output.status.success().then_some(output.stdout))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        let _command = command
            // A hook of git's own says where its repository is, relative to another folder.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .env_remove("GIT_PREFIX")
            .arg("-C")
            .arg(&self.directory)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    }
}

/// A file of a commit.
#[derive(Debug)]
struct Blob {
    object: String,
    /// Its path from the migrations folder.
    path: String,
}

/// Cuts the answer of `cat-file --batch`: `<object> <type> <size>\n<text>\n` for each.
fn cut(mut answer: &[u8], n: usize) -> Option<Vec<Vec<u8>>> {
    let mut texts = Vec::new();
    for _ in 0..n {
        let line_end = answer.iter().position(|byte| *byte == b'\n')?;
        let size: usize = text(&answer[..line_end]).rsplit(' ').next()?.parse().ok()?;
        let start = line_end + 1;
        texts.push(answer.get(start..start + size)?.to_vec());
        answer = answer.get(start + size + 1..)?;
    }
    Some(texts)
}

/// A folder for the files of a commit, which is removed again.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Result<Self, Box<Failure>> {
        let nonce = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |it| it.as_nanos());
        let name = format!("dunlin-{name}-{}-{nonce}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // `create_dir` and not `create_dir_all`: it must not be there already.
        fs::create_dir(&path).map_err(unwritable)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn no_git(error: &std::io::Error) -> Box<Failure> {
    Box::new(
        Failure::new(Exit::Usage, format!("the program `git` cannot be run: {error}"))
            .note("a base is a commit, branch or tag of git"),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` passes")]
fn unwritable(error: std::io::Error) -> Box<Failure> {
    let folder = std::env::temp_dir();
    Box::new(Failure::new(
        Exit::Folder,
        format!("the files of the base cannot be written to `{}`: {error}", folder.display()),
    ))
}
