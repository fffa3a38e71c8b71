//! Where the data of a server comes from: it exists, or is copied, or `initdb` makes it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::binaries::Binaries;
use crate::folder::Folder;
use crate::template::Template;

/// Whether throw-away servers copy a template.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Templates {
    Used,
    /// The template did not start: make a new one.
    Renewed,
}

pub(crate) struct Data {
    initdb: Vec<OsString>,
    template: Option<Template>,
    templates: Templates,
    /// Looked up once: another process may publish it meanwhile.
    copied_from: Option<PathBuf>,
}

impl Data {
    pub(crate) fn of(folder: &Folder, binaries: &Binaries, templates: Templates) -> Self {
        if folder.data_major().is_some() {
            return Self { initdb: Vec::new(), template: None, templates, copied_from: None };
        }
        let options = options(folder, binaries);
        // Kept data is made once, and nothing is gained by sharing it.
        let template = (!folder.kept)
            .then(|| Template::of(binaries, options.iter().map(OsStr::new), &folder.account))
            .flatten();
        let mut initdb: Vec<OsString> = vec![binaries.initdb().into(), "-D".into()];
        initdb.push(folder.data().into());
        initdb.extend(options.into_iter().map(OsString::from));
        let used = template.as_ref().filter(|_| templates == Templates::Used);
        let copied_from = used.and_then(Template::ready).map(Path::to_owned);
        Self { initdb, template, templates, copied_from }
    }

    /// The template the keeper copies.
    pub(crate) fn copied_from(&self) -> Option<&Path> {
        self.copied_from.as_deref()
    }

    /// Where the keeper leaves a copy for the next start.
    pub(crate) fn copied_to(&self) -> Option<&Path> {
        let template = self.template.as_ref().filter(|_| self.copied_from.is_none());
        template.map(Template::staging)
    }

    /// The command that makes the data; empty when there is some.
    pub(crate) fn initdb(&self) -> &[OsString] {
        &self.initdb
    }

    /// After the server came up on its data, a copy of that data is fit to be a template.
    pub(crate) fn publish_template(&self) {
        if let Some(template) = &self.template {
            template.publish(self.templates == Templates::Renewed);
        }
    }
}

fn options(folder: &Folder, binaries: &Binaries) -> Vec<&'static str> {
    let mut options = vec![
        "--username=postgres",
        "--encoding=UTF8",
        // Sorted as bytes everywhere, so that tests do not depend on the machine.
        "--locale=C",
        // The socket's folder has mode 0700: who gets there is the owner.
        "--auth-local=trust",
        // For those who set `listen_addresses`: other users of the machine get there too.
        "--auth-host=scram-sha-256",
    ];
    if binaries.major >= 14 {
        options.push("--no-instructions");
    }
    // Case conversion beyond ASCII, where it is to be had without a locale of the machine.
    let glibc = ["C.utf8", "C.UTF-8"];
    if binaries.major >= 17 {
        options.extend(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    } else if glibc.iter().any(|name| Path::new("/usr/lib/locale").join(name).exists()) {
        options.push("--lc-ctype=C.UTF-8");
    }
    if !folder.kept {
        options.push("--no-sync");
    }
    options
}
