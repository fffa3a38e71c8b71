//! The packages of everything that is measured, as crates.io would hand them out.
//!
//! Dunlin is here as source, and its peers come from a registry. Cargo treats the two differently: it looks
//! at each file of a source before a build, and compiles it incrementally, in many more pieces for the linker
//! to put together. So Dunlin is packed, and everybody is built from a folder of packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// The folder of this package.
const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// What a user of Dunlin depends on.
const OURS: [&str; 3] = ["dunlin-core", "dunlin-macros", "dunlin"];

/// Puts the packages into a folder, and has every build below the folder take them from there.
///
/// # Errors
///
/// What cargo, `tar` or the file system says.
pub fn gather(folder: &Path) -> Result<()> {
    let (packages, packed) = (folder.join("packages"), folder.join("packed"));
    fs::create_dir_all(&packages)?;
    // The versions that this package has resolved.
    let mut vendor = cargo("vendor", &PathBuf::from(HERE));
    run(vendor.args(["--locked", "--versioned-dirs"]).arg(&packages))?;
    let mut package = cargo("package", &Path::new(HERE).join(".."));
    // What lies here is what is measured, committed or not.
    let _configured = package.args(["--no-verify", "--allow-dirty", "--target-dir"]).arg(&packed);
    run(package.args(OURS.iter().flat_map(|name| ["-p", name])))?;
    for entry in fs::read_dir(packed.join("package"))? {
        let path = entry?.path();
        let name = path.file_stem().filter(|_| path.extension().is_some_and(|it| it == "crate"));
        if let Some(name) = name {
            run(Command::new("tar").arg("-xzf").arg(&path).arg("-C").arg(&packages))?;
            fs::write(packages.join(name).join(".cargo-checksum.json"), "{\"files\":{}}")?;
        }
    }
    fs::create_dir_all(folder.join(".cargo"))?;
    let config = format!(
        "[source.crates-io]\nreplace-with = \"packages\"\n\n[source.packages]\ndirectory = {packages:?}\n"
    );
    Ok(fs::write(folder.join(".cargo/config.toml"), config)?)
}

fn cargo(verb: &str, package: &Path) -> Command {
    let mut command = Command::new("cargo");
    let _configured = command.arg(verb).arg("--manifest-path").arg(package.join("Cargo.toml"));
    command
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}:\n{text}").into());
    }
    Ok(())
}
