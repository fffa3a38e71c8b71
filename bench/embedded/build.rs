//! Writes the migrations, and the macro calls that embed them: what is measured is what each tool's
//! own macro makes of its folder.

#[path = "src/migrations.rs"]
#[allow(unreachable_pub, reason = "the benchmarks use it as a public module")]
mod migrations;

use std::fmt::Write;
use std::path::Path;

use migrations::{Layout, SIZES};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/migrations.rs");
    println!("cargo::rerun-if-changed=build.rs");
    let out = std::env::var("OUT_DIR")?;
    // sqlx refuses absolute paths, so the way there leads over the root.
    let package = std::env::var("CARGO_MANIFEST_DIR")?;
    let to_root = "../".repeat(Path::new(&package).components().count() - 1);
    let mut code = String::new();
    for n in SIZES {
        let folder = |layout, name| {
            let folder = format!("{out}/{name}/{n}");
            migrations::write(Path::new(&folder), layout, n)?;
            Ok::<_, std::io::Error>(format!("{to_root}{}", folder.trim_start_matches('/')))
        };
        let flat = folder(Layout::Flat, "flat")?;
        let refinery = folder(Layout::Refinery, "refinery")?;
        let diesel = folder(Layout::Diesel, "diesel")?;
        write!(
            code,
            "pub(crate) static DUNLIN_{n}: dunlin::Registry = dunlin::embed_migrations!({flat:?});\n\
             pub(crate) static SQLX_{n}: sqlx::migrate::Migrator = sqlx::migrate!({flat:?});\n\
             pub(crate) mod refinery_{n} {{ refinery::embed_migrations!({refinery:?}); }}\n\
             pub(crate) const DIESEL_{n}: diesel_migrations::EmbeddedMigrations = \
             diesel_migrations::embed_migrations!({diesel:?});\n"
        )?;
    }
    std::fs::write(format!("{out}/embedded.rs"), code)?;
    Ok(())
}
