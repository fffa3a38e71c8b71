use super::*;

const TEXT: &str = "CREATE TABLE a (id int);\n";
const SHA384: &str = "52dcffb424aeb77cd96de966de88547001ad9656d3d53e03c8907e0f31653840336ff6b02aeb25a48ef7d46e1ce5f7f9";

/// A row as `key`, or `key standing`, or `key standing sum`.
fn record(row: &str) -> Record {
    let mut words = row.split(' ');
    let key = words.next().filter(|key| *key != "-").map(str::to_owned);
    let standing = words.next().unwrap_or("applied");
    Record {
        key,
        description: "users".to_owned(),
        sum: words.next().map(str::to_owned),
        standing: Standing::from_word(standing).unwrap(),
        executed_at: None,
        applied_by: None,
        duration: None,
    }
}

/// What follows for rows and names: one line each.
#[track_caller]
fn check(tool: Tool, rows: &[&str], names: &[&str], expected: &[&str]) {
    let records: Vec<_> = rows.iter().map(|row| record(row)).collect();
    let candidates: Vec<_> =
        names.iter().map(|name| Candidate { name, text: Some(TEXT) }).collect();
    let found: Vec<_> = fit(tool, &records, &candidates)
        .iter()
        .map(|it| {
            let row = it.record.as_ref().map_or_else(|| "-".to_owned(), |(at, _)| at.to_string());
            let finding = format!("{:?}", it.finding);
            let word = finding.split(['(', ' ']).next().unwrap().to_owned();
            let late = if finding.contains("late: true") { " late" } else { "" };
            format!("{} {row} {word}{late}", it.name)
        })
        .collect();
    assert_eq!(found, expected, "{tool}");
}

#[track_caller]
fn check_sum(tool: Tool, key: &str, sum: &str, is_same: bool) {
    let found = sum_of(tool, &record(&format!("{key} applied {sum}")), TEXT);
    assert_eq!(found == Sum::Same, is_same, "{tool} {sum}: {found:?}");
}

#[test]
fn each_tool_s_checksum_is_computed_as_the_tool_does() {
    // Computed with Python's hashlib, zlib, and a SipHash-1-3 written from its paper.
    check_sum(Tool::Sqlx, "1", SHA384, true);
    check_sum(Tool::Sqlx, "1", &SHA384.to_ascii_uppercase(), true);
    let sha256 = "c2de7559380e5ebf65caa7d59e166558e80243cf7e70006cc98d1593d94203c1";
    check_sum(Tool::Prisma, "1", sha256, true);
    check_sum(Tool::Flyway, "1", "-623083431", true);
    check_sum(Tool::Refinery, "1", "11296494077388102020", true);
    check_sum(Tool::Refinery, "1", "8981175086442613194", true);
    check_sum(Tool::Refinery, "2", "11296494077388102020", false);
    check_sum(Tool::Sqlx, "1", sha256, false);
}

#[test]
fn line_ends_and_a_mark_do_not_matter() {
    let windows = "d5dc92c07638aa548e81ae7e68e78b592949aae6fb737ad53cfab8634789473b9841959fbcc1d7f1bdf5791896848bc0";
    let marked = "ce39691650fe44561e5a4a86c7af1237a94bd4214d158780e6d95ca0da4e033922f593a20c99b2c070febb8d5030e6d7";
    let without_blanks = "10ed7bacc7263a1a7591a8900445aa22bb4b56843a9de537b92c1ed5964870fc33432af7d2bcc7f453864156944f6df2";
    for sum in [windows, marked, without_blanks] {
        check_sum(Tool::Sqlx, "1", sum, true);
    }
}

#[test]
fn a_version_is_the_same_number_however_it_is_written() {
    check(
        Tool::Sqlx,
        &["1", "20230102000000"],
        &["0001_users", "20230102000000_teams", "20230103000000_more"],
        &[
            "0001_users 0 Matched",
            "20230102000000_teams 1 Matched",
            "20230103000000_more - Pending",
        ],
    );
    check(
        Tool::Refinery,
        &["19"],
        &["V2__b", "V19__a"],
        &["V2__b - Pending late", "V19__a 0 Matched"],
    );
    check(Tool::Goose, &["0", "3"], &["00003_users"], &["00003_users 1 Matched"]);
    check(
        Tool::Diesel,
        &["20230115120000"],
        &["2023-01-15-120000_users", "2023-01-16-120000_teams"],
        &["2023-01-15-120000_users 0 Matched", "2023-01-16-120000_teams - Pending"],
    );
    check(
        Tool::Flyway,
        &["1", "1.2"],
        &["V1__a", "V1_2__b", "V1.10__c"],
        &["V1__a 0 Matched", "V1_2__b 1 Matched", "V1.10__c - Pending"],
    );
}

#[test]
fn a_name_is_the_same_with_and_without_its_extension() {
    check(Tool::SqlMigrate, &["1_a.sql"], &["1_a", "2_b"], &["1_a 0 Matched", "2_b - Pending"]);
    check(Tool::Prisma, &["2023_init"], &["2023_init"], &["2023_init 0 Matched"]);
    check(Tool::Dbmate, &["001"], &["001_a", "1_b"], &["001_a 0 Matched", "1_b - Pending"]);
    for file in ["1-a.js", "1-a.ts", "1-a.cjs", "1-a.sql", "1-a.up.sql", "1-a"] {
        check(Tool::Sequelize, &[file], &["1-a"], &["1-a 0 Matched"]);
        check(Tool::Table, &[file], &["1-a"], &["1-a 0 Matched"]);
    }
}

#[test]
fn a_checksum_decides_between_proven_and_changed() {
    check(
        Tool::Sqlx,
        &[&format!("1 applied {SHA384}"), "2 applied 00", "3 applied"],
        &["1_a", "2_b", "3_c"],
        &["1_a 0 Proven", "2_b 1 Changed", "3_c 2 Matched"],
    );
    let rust = Candidate { name: "1_a", text: None };
    let found = fit(Tool::Refinery, &[record("1 applied 77")], &[rust]);
    assert_eq!(found[0].finding, Finding::Matched, "the tool hashed what its function returned");
}

#[test]
fn one_row_stands_for_everything_up_to_its_version() {
    let names = ["1_a", "2_b", "3_c"];
    check(Tool::Tern, &["2"], &names, &["1_a 0 Matched", "2_b 0 Matched", "3_c - Pending"]);
    check(Tool::Tern, &["0"], &names[..1], &["1_a - Pending"]);
    check(Tool::GolangMigrate, &["-1"], &names[..1], &["1_a - Pending"]);
    check(
        Tool::GolangMigrate,
        &["2 failed"],
        &names,
        &["1_a 0 Matched", "2_b 0 Failed", "3_c - Pending"],
    );
    check(Tool::Tern, &["7"], &names[..1], &["1_a 0 Matched", "7 0 NotHere"]);
}

#[test]
fn the_last_row_about_a_migration_decides() {
    let names = ["1_a", "2_b"];
    check(
        Tool::Goose,
        &["0", "1", "2", "2 undone", "1 undone", "1"],
        &names,
        &["1_a 5 Matched", "2_b 3 Undone"],
    );
    check(
        Tool::Prisma,
        &["1_a undone", "1_a", "2_b unfinished"],
        &names,
        &["1_a 1 Matched", "2_b 2 Unfinished"],
    );
    check(Tool::Flyway, &["1", "1 undone"], &["V1__a"], &["V1__a 1 Undone"]);
    check(Tool::Flyway, &["1", "2", "1 deleted"], &["V2__b"], &["V2__b 1 Matched"]);
}

#[test]
fn a_baseline_stands_for_what_is_older() {
    check(
        Tool::Flyway,
        &["- other", "2 baseline", "3"],
        &["V1__a", "V2__b", "V3__c", "V4__d"],
        &["V1__a 1 Matched", "V2__b 1 Matched", "V3__c 2 Matched", "V4__d - Pending"],
    );
}

#[test]
fn what_does_not_fit_is_not_passed_over() {
    check(
        Tool::Sqlx,
        &["1", "3", "9 unfinished"],
        &["1_a", "2_b"],
        &["1_a 0 Matched", "2_b - Pending", "3 1 NotHere", "9 2 Unfinished"],
    );
    check(
        Tool::Sqlx,
        &["20230102"],
        &["20230102-a", "20230102-b"],
        &["20230102-a - Pending", "20230102-b - Pending", "20230102 0 Ambiguous"],
    );
    check(Tool::Sqlx, &["-3"], &["1_a"], &["1_a - Pending", "-3 0 NotHere"]);
    check(Tool::Flyway, &["- repeatable"], &["V1__a"], &["V1__a - Pending", "users 0 Repeatable"]);
    check(Tool::Goose, &["7", "7 undone"], &["1_a"], &["1_a - Pending", "7 1 Undone"]);
}

#[test]
fn every_tool_has_a_name_that_leads_back_to_it() {
    for tool in Tool::ALL {
        assert_eq!(Tool::from_id(tool.id()), Some(*tool));
    }
    assert_eq!(Tool::from_id("liquibase"), None);
}

#[test]
fn a_tool_is_named_as_people_and_messages_name_it() {
    for (tool, history, checksum) in [
        (Tool::Flyway, "history of Flyway", Some("CRC-32")),
        (Tool::Prisma, "history of Prisma", Some("SHA-256")),
        (Tool::Refinery, "history of refinery", Some("SipHash-1-3")),
        (Tool::Sequelize, "history of Sequelize", None),
        (Tool::Sqlx, "history of sqlx", Some("SHA-384")),
        (Tool::Table, "older tracking table", None),
    ] {
        assert_eq!((tool.history().as_str(), tool.checksum()), (history, checksum));
    }
    assert_eq!(Tool::GolangMigrate.to_string(), "golang-migrate");
}

#[test]
fn of_migrations_that_share_a_version_the_checksum_tells_which_one_ran() {
    let sum = "2ab1ba7f";
    let texts = [("1_a", "SELECT 1;\n"), ("1_b", TEXT)];
    let candidates = texts.map(|(name, text)| Candidate { name, text: Some(text) });
    let found = |row: &str| {
        let findings = fit(Tool::Sqlx, &[record(row)], &candidates);
        findings.into_iter().map(|it| it.finding).collect::<Vec<_>>()
    };
    let pending = |late| Finding::Pending { late };
    assert_eq!(found(&format!("1 applied {SHA384}")), [pending(true), Finding::Proven]);
    let names = vec!["1_a".to_owned(), "1_b".to_owned()];
    assert_eq!(
        found(&format!("1 applied {sum}")),
        [pending(false), pending(false), Finding::Ambiguous(names)]
    );
}
