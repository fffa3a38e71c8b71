//! Which folder is meant, and how it is read.

use std::path::{Path, PathBuf};

use dunlin_core::folder::Reading;
use dunlin_core::suggest::nearest;
use dunlin_core::{Folder, Layout, Level, Options};

use crate::answer::Failure;
use crate::args::FolderArgs;

const DEFAULT: &str = "migrations";

/// A folder on the disk and the options it is read with.
#[derive(Debug)]
pub(crate) struct Source {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The same as messages show it, with `/`.
    pub(crate) shown: String,
    pub(crate) options: Options,
}

impl Source {
    /// The folder that the arguments mean.
    pub(crate) fn find(
        args: &FolderArgs,
        history_table: Option<&str>,
    ) -> Result<Self, Box<Failure>> {
        let path = args.folder.clone().unwrap_or_else(|| default(&here()));
        Ok(Self::new(path, options(args, history_table)?))
    }

    /// The folder that the arguments mean, whether it is there or not: never one further up.
    pub(crate) fn to_begin(args: &FolderArgs) -> Result<Self, Box<Failure>> {
        let path = args.folder.clone().unwrap_or_else(|| PathBuf::from(DEFAULT));
        Ok(Self::new(path, options(args, None)?))
    }

    fn new(path: PathBuf, options: Options) -> Self {
        let shown = path.to_string_lossy().replace('\\', "/");
        let shown = shown.strip_prefix("./").unwrap_or(&shown).trim_end_matches('/').to_owned();
        Self { path, shown, options }
    }

    pub(crate) fn read(&self) -> Reading {
        Folder::read(&self.path, &self.shown, &self.options)
    }
}

/// The folder this process runs in; where it cannot be told, every relative path still means it.
pub(crate) fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// `migrations` here, else beside the next `Cargo.toml` above, as a relative path.
fn default(here: &Path) -> PathBuf {
    let mut up = PathBuf::new();
    for folder in here.ancestors() {
        let is_package = folder.join("Cargo.toml").is_file();
        let is_here = up.as_os_str().is_empty();
        if (is_package || is_here) && folder.join(DEFAULT).is_dir() {
            return up.join(DEFAULT);
        }
        if is_package {
            break;
        }
        up.push("..");
    }
    PathBuf::from(DEFAULT)
}

fn options(args: &FolderArgs, history_table: Option<&str>) -> Result<Options, Box<Failure>> {
    let mut options =
        Options { ignore: args.ignore.clone(), syntax: !args.no_syntax, ..Options::default() };
    if let Some(table) = history_table {
        table.clone_into(&mut options.history_table);
    }
    if let Some(id) = &args.layout {
        options.layout = Some(Layout::from_id(id).ok_or_else(|| unknown_layout(id))?);
    }
    let chosen =
        [(Level::Deny, &args.deny), (Level::Warn, &args.warn), (Level::Allow, &args.allow)];
    for (level, rules) in chosen {
        for rule in rules {
            options.levels = std::mem::take(&mut options.levels)
                .choosing(level, rule)
                .map_err(|text| Box::new(Failure::usage(text)))?;
        }
    }
    Ok(options)
}

fn unknown_layout(id: &str) -> Box<Failure> {
    let known: Vec<_> = Layout::ALL.iter().map(|layout| layout.id()).collect();
    let failure = Failure::usage(format!("no layout is called `{id}`"))
        .note(format!("the layouts are {}", known.join(", ")));
    Box::new(match nearest(id, &known) {
        Some(near) => failure.help(format!("--layout {near}")),
        None => failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_here_or_beside_the_next_package_above() {
        let root = std::env::temp_dir().join(format!("dunlin-cli-folder-{}", std::process::id()));
        let deep = root.join("src/inner");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::create_dir_all(root.join("migrations")).unwrap();
        assert_eq!(default(&root), Path::new("migrations"));
        // Without a `Cargo.toml` it is somebody else's.
        assert_eq!(default(&deep), Path::new("migrations"));
        std::fs::write(root.join("Cargo.toml"), "").unwrap();
        assert_eq!(default(&deep), Path::new("../../migrations"));
        std::fs::remove_dir_all(&root).unwrap();
    }
}
