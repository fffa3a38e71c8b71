//! The migrations of the benchmarks, and the folders as each tool's macro embedded them.

use std::io;

pub mod migrations;

mod embedded {
    #![allow(unused_qualifications, reason = "the code of other macros")]

    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// Dunlin's registry of `n` migrations.
///
/// # Errors
///
/// When `n` is not one of [`migrations::SIZES`].
pub fn dunlin(n: usize) -> io::Result<&'static dunlin::Registry> {
    match n {
        14 => Ok(&embedded::DUNLIN_14),
        100 => Ok(&embedded::DUNLIN_100),
        1_000 => Ok(&embedded::DUNLIN_1000),
        _ => Err(unknown(n)),
    }
}

/// sqlx' migrator.
///
/// # Errors
///
/// When `n` is not one of [`migrations::SIZES`].
pub fn sqlx(n: usize) -> io::Result<&'static sqlx::migrate::Migrator> {
    match n {
        14 => Ok(&embedded::SQLX_14),
        100 => Ok(&embedded::SQLX_100),
        1_000 => Ok(&embedded::SQLX_1000),
        _ => Err(unknown(n)),
    }
}

/// refinery's runner.
///
/// # Errors
///
/// When `n` is not one of [`migrations::SIZES`].
pub fn refinery(n: usize) -> io::Result<refinery::Runner> {
    match n {
        14 => Ok(embedded::refinery_14::migrations::runner()),
        100 => Ok(embedded::refinery_100::migrations::runner()),
        1_000 => Ok(embedded::refinery_1000::migrations::runner()),
        _ => Err(unknown(n)),
    }
}

/// diesel's source of migrations.
///
/// # Errors
///
/// When `n` is not one of [`migrations::SIZES`].
pub fn diesel(n: usize) -> io::Result<diesel_migrations::EmbeddedMigrations> {
    match n {
        14 => Ok(embedded::DIESEL_14),
        100 => Ok(embedded::DIESEL_100),
        1_000 => Ok(embedded::DIESEL_1000),
        _ => Err(unknown(n)),
    }
}

fn unknown(n: usize) -> io::Error {
    io::Error::other(format!("{n} migrations are not embedded"))
}
