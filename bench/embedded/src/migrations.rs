//! The migrations every tool runs, and the folder each wants them in.
//!
//! Separate because the build script writes them as well.

use std::fs;
use std::io;
use std::path::Path;

/// The sizes of the run-time benchmark: the samples of this repository, a service after some years, a
/// large one.
pub const SIZES: [usize; 3] = [14, 100, 1_000];

/// What the tables are about; the number keeps their names apart.
const SUBJECTS: [&str; 10] = [
    "invoice",
    "shipment",
    "payment",
    "contract",
    "employee",
    "inventory",
    "approval",
    "supplier",
    "document",
    "ticket",
];

/// How a tool wants its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `0001_create_invoice.sql`: Dunlin and sqlx.
    Flat,
    /// `V1__create_invoice.sql`.
    Refinery,
    /// `0001_create_invoice/up.sql`.
    Diesel,
}

/// The name of a migration, counted from 1.
#[must_use]
pub fn name(number: usize) -> String {
    format!("create_{}", table(number))
}

/// The table it creates.
#[must_use]
pub fn table(number: usize) -> String {
    let subject = SUBJECTS[number % SUBJECTS.len()];
    format!("{subject}_{number:04}")
}

/// Its text: a small file as people write them, three statements, some 600 bytes.
#[must_use]
pub fn text(number: usize) -> String {
    let table = table(number);
    format!(
        "-- {table}: who it belongs to, how far it has come, and what it is worth.\n\
         CREATE TABLE {table} (\n    \
             id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    \
             account_id bigint NOT NULL,\n    \
             status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'open', 'done')),\n    \
             amount numeric(12, 2) NOT NULL DEFAULT 0,\n    \
             remark text,\n    \
             created_at timestamptz NOT NULL DEFAULT now()\n\
         );\n\n\
         CREATE INDEX {table}_account_idx ON {table} (account_id, created_at);\n\n\
         COMMENT ON TABLE {table} IS 'Number {number}; rows are kept for ten years';\n"
    )
}

/// Where a migration lies in its folder.
#[must_use]
pub fn path(layout: Layout, number: usize) -> String {
    let name = name(number);
    match layout {
        Layout::Flat => format!("{number:04}_{name}.sql"),
        Layout::Refinery => format!("V{number}__{name}.sql"),
        Layout::Diesel => format!("{number:04}_{name}/up.sql"),
    }
}

/// Writes the first `n` migrations into a folder, which is made.
///
/// # Errors
///
/// What the file system says.
pub fn write(folder: &Path, layout: Layout, n: usize) -> io::Result<()> {
    for number in 1..=n {
        let file = folder.join(path(layout, number));
        fs::create_dir_all(file.parent().unwrap_or(folder))?;
        fs::write(file, text(number))?;
    }
    Ok(())
}
