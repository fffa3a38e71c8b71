//! Orders, names and sections; what whole folders give is in `tests/folders/layout-*`.

use std::sync::Arc;

use proptest::prelude::*;

use super::arrange::Role;
use super::flat::role;
use super::section::{Sections, cut};
use super::*;
use crate::checksum::Checksum;
use crate::source::SourceFile;

#[track_caller]
fn check_order(layout: Layout, expected: &[&str]) {
    let mut names = expected.to_vec();
    names.sort_unstable();
    names.sort_by(|left, right| layout.compare_names(left, right));
    assert_eq!(names, expected, "{layout}");
}

#[test]
fn each_tool_has_its_own_order() {
    // Numbers of any length, dates among them.
    for layout in [Layout::Sqlx, Layout::GolangMigrate, Layout::Goose, Layout::Tern] {
        check_order(
            layout,
            &["0_a", "9_b", "10_c", "20230301_d", "20230115120000_e", "202301151200000_f", "x"],
        );
    }
    check_order(Layout::Refinery, &["V1__a", "V2__b", "U9__c", "V10__d", "V19__e"]);
    // Without `-`, so that two ways to write a moment are one.
    check_order(
        Layout::Diesel,
        &[
            "00000000000000_diesel_initial_setup",
            "20231231235959_b",
            "2025-11-19-091444-0000_a",
            "20251119091445_c",
            "20260120162913_d",
        ],
    );
    // The name of the file, whatever it means.
    check_order(Layout::Dbmate, &["10_b", "1_c", "20230101", "20230101120000_x", "9_a"]);
    check_order(
        Layout::SqlMigrate,
        &["1-x", "1-x_improvement", "2_a", "10", "10_b", "a-c", "ab", "version"],
    );
    check_order(
        Layout::Flyway,
        &[
            "V0.9__z",
            "V1__a",
            "V1.1__b",
            "V1_2__c",
            "V1.9__d",
            "V1.10__e",
            "V2__f",
            "V2023.04.01__g",
        ],
    );
    check_order(Layout::Prisma, &["0_init", "20230401120000_a", "20230401120000_b", "2024_c"]);
}

#[test]
fn versions_are_equal_when_the_tool_says_so() {
    let version = |layout: Layout, text: &str| layout.version(text).unwrap();
    let equal = |layout: Layout, a: &str, b: &str| version(layout, a) == version(layout, b);
    assert!(equal(Layout::Flyway, "V1.0", "1"));
    assert!(equal(Layout::Flyway, "1_02", "V1.2.0"));
    assert!(!equal(Layout::Flyway, "1.20", "1.2"));
    assert!(equal(Layout::Diesel, "2025-11-19-091444", "20251119091444"));
    assert!(equal(Layout::Sqlx, "0007", "7"));
    assert!(!equal(Layout::Dbmate, "0007", "7"));
    for (layout, text) in [
        (Layout::Flyway, "1."),
        (Layout::Flyway, ""),
        (Layout::Sqlx, "1_a"),
        (Layout::Refinery, "V"),
        (Layout::SqlMigrate, "name"),
    ] {
        assert_eq!(layout.version(text), None, "{layout} {text}");
    }
}

#[test]
fn a_name_that_is_not_the_tools_is_told_one_that_is() {
    for (layout, name, expected) in [
        (Layout::Refinery, "Users.sql", "V<number>__Users.sql"),
        (Layout::Refinery, "U7-add users.sql", "V7__add_users.sql"),
        (Layout::Refinery, "7.sql", "V7__<what_it_does>.sql"),
        (Layout::Goose, "users.sql", "<number>_users.sql"),
        (Layout::GolangMigrate, "1_a.sql", "1_a.up.sql"),
    ] {
        let Role::Misnamed { suggestion, .. } = role(layout, name) else {
            unreachable!("{layout} takes {name}")
        };
        assert_eq!(suggestion, expected, "{layout}");
    }
}

#[test]
fn a_name_without_digits_has_no_version() {
    for (layout, name) in [
        (Layout::Sqlx, "_a"),
        (Layout::GolangMigrate, "_a"),
        (Layout::Goose, "_a"),
        (Layout::Tern, "_a"),
        (Layout::Refinery, "V__a"),
        (Layout::Dbmate, "a"),
        (Layout::Dbmate, "_a"),
        (Layout::Diesel, "_a"),
        (Layout::Prisma, "_a"),
        (Layout::Flyway, "V__a"),
    ] {
        assert_eq!(layout.split(name).map(|(version, _)| version), None, "{layout}: {name}");
    }
}

#[test]
fn every_layout_is_found_by_its_name() {
    for layout in Layout::ALL {
        assert_eq!(Layout::from_id(layout.id()), Some(*layout));
    }
    assert_eq!(Layout::from_id("gose"), None);
}

fn goose(text: &str) -> Sections {
    let mut problems = Vec::new();
    let sections = cut::<goose::Goose>(&Arc::new(SourceFile::new("1_a.sql", text)), &mut problems);
    assert_eq!(problems, []);
    sections
}

#[test]
fn a_section_has_its_lines_where_the_file_has_them() {
    let sections = goose("-- head\n-- +goose Up\nA;\n\n-- +goose Down\nB;\nC;\n");
    assert_eq!(sections.up.text, "-- head\n-- +goose Up\nA;\n");
    let down = sections.down.unwrap();
    assert_eq!(down.text, "\n\n\n\n-- +goose Down\nB;\nC;\n");
    assert!(sections.up.transaction && down.transaction);
}

#[test]
fn a_statement_that_only_its_marker_ends_gets_a_semicolon() {
    let sections = goose(
        "-- +goose Up\n-- +goose StatementBegin\nA $$;$$ -- ;\n-- +goose StatementEnd\n\
         -- +goose StatementBegin\nB; -- c\n-- +goose StatementEnd\n",
    );
    assert_eq!(
        sections.up.text,
        "-- +goose Up\n-- +goose StatementBegin\nA $$;$$ -- ;\n;\n\
         -- +goose StatementBegin\nB; -- c\n-- +goose StatementEnd\n"
    );
}

#[test]
fn the_undo_does_not_count_for_the_checksum() {
    let checksum = |text: &str| goose(text).up.checksum;
    let plain = checksum("-- +goose Up\nA;");
    assert_eq!(plain, checksum("-- +goose Up\nA;\n\n-- +goose Down\nB;\n"));
    assert_eq!(plain, checksum("-- +goose Up\nA;\n-- +goose Down\nB;\nC;\n"));
    assert_eq!(plain, Checksum::of("-- +goose Up\nA;\n"));
    assert_ne!(plain, checksum("-- +goose Up\nB;\n"));
    // Nor where it stands above the migration, which sql-migrate allows.
    let checksum = |text: &str| {
        let file = Arc::new(SourceFile::new("1_a.sql", text));
        cut::<sql_migrate::SqlMigrate>(&file, &mut Vec::new()).up.checksum
    };
    assert_eq!(
        checksum("-- +migrate Down\nB;\n-- +migrate Up\nA;\n"),
        checksum("-- +migrate Down\nB;\nC;\n-- +migrate Up\nA;\n")
    );
}

proptest! {
    #[test]
    fn every_order_is_total(
        layout in prop::sample::select(Layout::ALL),
        names in prop::collection::vec("[VU]?[0-9]{0,3}([._-][0-9]{1,2}){0,2}(_{0,2}[a-c-]{0,3})", 3)
    ) {
        let (a, b, c) = (&names[0], &names[1], &names[2]);
        let compare = |a: &str, b: &str| layout.compare_names(a, b);
        prop_assert_eq!(compare(a, b), compare(b, a).reverse());
        prop_assert_eq!(compare(a, b) == Ordering::Equal, a == b);
        if compare(a, b).is_le() && compare(b, c).is_le() {
            prop_assert!(compare(a, c).is_le());
        }
        let version = |name: &str| layout.split(name).map(|(version, _)| version);
        if let (Some(a), Some(b)) = (version(a), version(b)) {
            prop_assert_eq!(a == b, a.cmp(&b) == Ordering::Equal);
        }
    }

    #[test]
    fn every_line_of_a_file_is_in_one_section_at_its_place(
        lines in prop::collection::vec(
            prop::sample::select(&["a", "é;", "", "-- +migrate Up", "-- +migrate Down",
                "-- +migrate StatementBegin", "-- +migrate StatementEnd", "-- +migrate up"][..]),
            0..12,
        )
    ) {
        let text = lines.join("\n");
        let file = Arc::new(SourceFile::new("1_a.sql", &text));
        let sections = cut::<sql_migrate::SqlMigrate>(&file, &mut Vec::new());
        let line = |section: &str, at: usize| section.split('\n').nth(at).unwrap_or("").to_owned();
        for (at, expected) in lines.iter().enumerate() {
            let up = line(&sections.up.text, at);
            let down = sections.down.as_ref().map_or(String::new(), |down| line(&down.text, at));
            prop_assert!(up.is_empty() || down.is_empty());
            let found = format!("{up}{down}");
            prop_assert!(found == *expected || found == ";" && expected.ends_with("StatementEnd"));
        }
    }
}
