//! `cargo dunlin`: the commands of the library on a folder.

use std::process::ExitCode;

fn main() -> ExitCode {
    dunlin_cli::cargo()
}
