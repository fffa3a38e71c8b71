//! Folders that sqlx, refinery and diesel migrate with, as they are on a disk.
