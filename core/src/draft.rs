//! The files of a migration that is yet to be written, in the style of the folder it goes into.
//!
//! Separate from reading because it only looks at names: the version that comes next, the signs
//! between words, and which files the layout wants. Writing them is left to the caller, and so is
//! the clock.
//!
//! **Invariant:** the name of a draft stands behind every migration of the folder, in the layout's
//! own order.

use crate::folder::{Folder, Language};
use crate::layout::Layout;
use crate::version::starts_with_date;

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish<'a> {
    /// What it does, as a person says it: `create users`.
    pub words: &'a str,
    /// Whether it is written in Rust.
    pub rust: bool,
    /// Whether it is to be undone. Where the layout wants an undo always, there is one anyway.
    pub undo: bool,
    /// Now.
    pub moment: Moment,
}

/// A moment in UTC, as versions are made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The year, four digits.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day, from 1.
    pub day: u8,
    /// The hour.
    pub hour: u8,
    /// The minute.
    pub minute: u8,
    /// The second.
    pub second: u8,
}

/// A migration that is yet to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its name, as the history table will have it.
    pub name: String,
    /// Its files, the one to edit first.
    pub files: Vec<DraftFile>,
}

/// One file of a [`Draft`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftFile {
    /// Its path from the migrations folder, with `/`.
    pub path: String,
    /// What it begins with.
    pub text: String,
}

/// How many digits a date has.
const DATE: usize = 8;

impl Moment {
    fn digits(self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }
}

impl Folder {
    /// The next migration of this folder.
    ///
    /// # Errors
    ///
    /// Why there can be none, as the text of a message.
    pub fn draft(&self, wish: Wish<'_>) -> Result<Draft, String> {
        let last = self.migrations().last();
        let names = || self.migrations().iter().map(|it| it.name.as_str());
        let style = Style::of(self.layout(), last.map(|it| it.name.as_str()));
        let name = style.next(&style.slug(wish.words)?, wish.moment)?;
        if let Some(taken) = names().find(|it| it.eq_ignore_ascii_case(&name)) {
            return Err(format!("`{taken}` is there already"));
        }
        let marks_up = last.is_some_and(|last| {
            last.up.file.path().ends_with(".up.sql")
                && matches!(last.up.language, Language::Sql { .. })
        });
        let files = files(self.layout(), &name, wish, marks_up)?;
        Ok(Draft { name, files })
    }
}

/// How a folder writes the names of its migrations.
#[derive(Debug)]
pub(crate) struct Style<'a> {
    layout: Layout,
    last: Option<&'a str>,
}

impl<'a> Style<'a> {
    /// The style of the folder whose last migration has this name.
    pub(crate) const fn of(layout: Layout, last: Option<&'a str>) -> Self {
        Self { layout, last }
    }

    /// The name behind the last one.
    pub(crate) fn next(&self, slug: &str, now: Moment) -> Result<String, String> {
        let separator = self.separator();
        let Some(last) = self.last else {
            return Ok(format!("{}{separator}{slug}", self.first(now)));
        };
        let split = self.layout.split(last);
        let version = split.as_ref().map_or("", |(version, _)| version.as_str());
        let is_behind = |version: &String| {
            let name = format!("{version}{separator}{slug}");
            let is_new = self.layout.split(&name).is_some_and(|(new, _)| {
                new.as_str() == version
                    && split.as_ref().is_none_or(|(old, _)| {
                        self.layout.shares_versions() || old.is_bare_date() || new != *old
                    })
            });
            is_new && self.layout.compare_names(&name, last).is_gt()
        };
        let found = following(version, now).into_iter().find(is_behind);
        found.map(|version| format!("{version}{separator}{slug}")).ok_or_else(|| {
            if slug.starts_with(|it: char| it.is_ascii_digit()) {
                format!("`{slug}` begins with a number, which would be a part of the version")
            } else {
                format!("no version in the style of `{last}` comes behind it")
            }
        })
    }

    /// The words of a name, with the signs between them that the folder has.
    pub(crate) fn slug(&self, words: &str) -> Result<String, String> {
        if let Some(sign) = words.chars().find(|it| it.is_control() || "/\\<>:\"|?*".contains(*it))
        {
            return Err(format!("`{}` cannot be in the name of a file", sign.escape_debug()));
        }
        let dashes = self.last.and_then(|last| self.layout.split(last)).is_some_and(|(_, rest)| {
            let name = rest.trim_start_matches(['_', '-']);
            name.contains('-') && !name.contains('_')
        });
        let dashes = dashes && self.layout != Layout::Refinery;
        let sign = if dashes { "-" } else { "_" };
        let words: Vec<_> = words
            .split(|it: char| it.is_whitespace() || it == '.')
            .filter(|word| !word.is_empty())
            .collect();
        let slug = words.join(sign);
        let slug = slug.trim_matches(['_', '-']);
        if slug.is_empty() { Err("the name is empty".to_owned()) } else { Ok(slug.to_owned()) }
    }

    /// What stands between version and name.
    fn separator(&self) -> &str {
        let rest = self.last.and_then(|last| self.layout.split(last)).map(|(version, _)| {
            let last = self.last.unwrap_or_default();
            let rest = &last[version.as_str().len()..];
            &rest[..rest.len() - rest.trim_start_matches(['_', '-']).len()]
        });
        match rest {
            Some(sign) if !sign.is_empty() => sign,
            _ => match self.layout {
                Layout::Refinery | Layout::Flyway => "__",
                Layout::SqlMigrate => "-",
                _ => "_",
            },
        }
    }

    /// The version of the first migration.
    fn first(&self, now: Moment) -> String {
        match self.layout {
            Layout::Dunlin => "0001".to_owned(),
            Layout::Tern => "001".to_owned(),
            Layout::GolangMigrate => "000001".to_owned(),
            Layout::Refinery | Layout::Flyway => "V1".to_owned(),
            Layout::Diesel => {
                let Moment { year, month, day, hour, minute, second } = now;
                format!("{year:04}-{month:02}-{day:02}-{hour:02}{minute:02}{second:02}")
            }
            _ => now.digits(),
        }
    }
}

/// Versions that may come behind this one, the one that fits best first.
fn following(version: &str, now: Moment) -> Vec<String> {
    let digits: String = version.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return vec![now.digits()];
    }
    if !starts_with_date(&digits) {
        return vec![increment_last_number(version)];
    }
    let now = now.digits();
    let n_more = digits.len() - DATE;
    let mut found = Vec::new();
    match n_more {
        0 => found.push(fill(version, &now[..DATE])),
        // Hours and minutes, or with seconds.
        4 | 6 => found.push(fill(version, &now[..DATE + n_more])),
        7.. => found.push(fill(version, &format!("{now}{}", "0".repeat(n_more - 6)))),
        // A number within the day.
        _ => found.push(fill(version, &format!("{}{:0n_more$}", &now[..DATE], 1))),
    }
    // The clock is behind, or the day has one already.
    if n_more == 0 {
        found.push(format!("{version}_01"));
    } else {
        found.push(fill(version, &increment(&digits)));
    }
    found
}

/// The digits in the places of the old ones.
fn fill(template: &str, digits: &str) -> String {
    let mut digits = digits.chars();
    let filled = template
        .chars()
        .map(|it| if it.is_ascii_digit() { digits.next().unwrap_or('0') } else { it });
    filled.collect()
}

/// `V1.9` becomes `V1.10`, `0009` becomes `0010`.
fn increment_last_number(version: &str) -> String {
    let head = version.trim_end_matches(|it: char| it.is_ascii_digit());
    format!("{head}{}", increment(&version[head.len()..]))
}

/// The next number of any length, as wide as this one.
fn increment(digits: &str) -> String {
    let nines = digits.len() - digits.trim_end_matches('9').len();
    let (head, tail) = digits.split_at(digits.len() - nines);
    let zeros = "0".repeat(tail.len());
    match head.char_indices().last().map(|(at, last)| (at, last.to_digit(10).unwrap_or_default())) {
        Some((at, last)) => format!("{}{}{zeros}", &head[..at], last + 1),
        None => format!("1{zeros}"),
    }
}

/// The files of a migration of that name.
fn files(
    layout: Layout,
    name: &str,
    wish: Wish<'_>,
    marks_up: bool,
) -> Result<Vec<DraftFile>, String> {
    let file = |path: String, text: String| DraftFile { path, text };
    if wish.rust {
        if matches!(layout, Layout::Diesel | Layout::Prisma) {
            return Err(format!("a folder of {} holds no migrations in Rust", layout.tool()));
        }
        return Ok(vec![file(format!("{name}.rs"), rust(wish))]);
    }
    // Its `U1__x.sql` is a migration without a place in the order, not an undo.
    if layout == Layout::Refinery && wish.undo {
        return Err("a folder of refinery holds no undo in SQL".to_owned());
    }
    let up = format!("-- {}\n\n", wish.words.trim());
    let down = format!("-- undo: {}\n\n", wish.words.trim());
    let sections = match layout {
        Layout::Goose => Some(("-- +goose Up", "-- +goose Down")),
        Layout::Dbmate => Some(("-- migrate:up", "-- migrate:down")),
        Layout::SqlMigrate => Some(("-- +migrate Up", "-- +migrate Down")),
        Layout::Tern => Some(("", "---- create above / drop below ----")),
        _ => None,
    };
    if let Some((up_mark, down_mark)) = sections {
        let head = if up_mark.is_empty() { String::new() } else { format!("{up_mark}\n") };
        let text = format!("{head}{up}{down_mark}\n{down}");
        return Ok(vec![file(layout.file_of(name), text)]);
    }
    // diesel and golang-migrate write both files always.
    let always = matches!(layout, Layout::Diesel | Layout::GolangMigrate);
    let up_file = if marks_up { format!("{name}.up.sql") } else { layout.file_of(name) };
    let mut files = vec![file(up_file, up)];
    if wish.undo || always {
        files.push(file(layout.undo_file_of(name), down));
    }
    Ok(files)
}

fn rust(wish: Wish<'_>) -> String {
    let words = wish.words.trim();
    let mut text = format!(
        "use dunlin::{{Context, Result}};\n\n\
         /// {words}\n\
         pub async fn up(cx: &mut Context<'_>) -> Result<()> {{\n    \
             cx.batch_execute(\"\").await\n\
         }}\n"
    );
    if wish.undo {
        text.push_str(&format!(
            "\n/// undo: {words}\n\
             pub async fn down(cx: &mut Context<'_>) -> Result<()> {{\n    \
                 cx.batch_execute(\"\").await\n\
             }}\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment { year: 2026, month: 5, day: 2, hour: 10, minute: 14, second: 7 };

    #[track_caller]
    fn check(layout: Layout, last: &str, expected: &str) {
        let style = Style::of(layout, Some(last).filter(|it| !it.is_empty()));
        let slug = style.slug("add email").unwrap();
        assert_eq!(style.next(&slug, NOW).as_deref(), Ok(expected), "behind `{last}`");
    }

    #[test]
    fn counters_go_on_in_their_own_width() {
        check(Layout::Dunlin, "", "0001_add_email");
        check(Layout::Dunlin, "0009_users", "0010_add_email");
        check(Layout::Dunlin, "9999-create-users", "10000-add-email");
        check(Layout::Dunlin, "V9__users", "V10__add_email");
        check(Layout::Dunlin, "7_a-b_c", "8_add_email");
        check(Layout::Refinery, "V9__users", "V10__add_email");
        check(Layout::Tern, "", "001_add_email");
        check(Layout::Tern, "099_users", "100_add_email");
        check(Layout::GolangMigrate, "000001_users", "000002_add_email");
        check(Layout::Flyway, "V1.9__users", "V1.10__add_email");
        check(Layout::Flyway, "V2_3__users", "V2_4__add_email");
    }

    #[test]
    fn the_first_one_is_as_the_tool_names_it() {
        check(Layout::GolangMigrate, "", "000001_add_email");
        check(Layout::Refinery, "", "V1__add_email");
        check(Layout::Flyway, "", "V1__add_email");
        check(Layout::Diesel, "", "2026-05-02-101407_add_email");
        check(Layout::Sqlx, "", "20260502101407_add_email");
        check(Layout::SqlMigrate, "", "20260502101407-add_email");
        check(Layout::Dbmate, "", "20260502101407_add_email");
    }

    #[test]
    fn a_last_one_without_a_name_says_nothing_of_the_sign_between() {
        check(Layout::Dbmate, "20230101", "20260502_add_email");
        check(Layout::Prisma, "20230101000000", "20260502101407_add_email");
        check(Layout::SqlMigrate, "20230101", "20260502-add_email");
    }

    #[test]
    fn words_that_begin_with_a_number_are_no_part_of_the_version() {
        let next = |last, words| {
            let style = Style::of(Layout::Dunlin, Some(last));
            style.next(&style.slug(words).unwrap(), NOW)
        };
        let told = "`2_factors` begins with a number, which would be a part of the version";
        assert_eq!(next("20251104_users", "2 factors").unwrap_err(), told);
        assert_eq!(next("0009_users", "2 factors").as_deref(), Ok("0010_2_factors"));
        assert_eq!(next("0009_users", "two 2").as_deref(), Ok("0010_two_2"));
    }

    #[test]
    fn moments_keep_their_form() {
        check(Layout::Dunlin, "2025103001-create-users", "2026050201-add-email");
        check(Layout::Dunlin, "20251031_04_users", "20260502_01_add_email");
        check(Layout::Dunlin, "20251104-create-views", "20260502-add-email");
        check(Layout::Dunlin, "202511041200_users", "202605021014_add_email");
        check(Layout::Dunlin, "20251104_120000_users", "20260502_101407_add_email");
        check(Layout::Diesel, "2025-11-19-091444_users", "2026-05-02-101407_add_email");
        check(Layout::Diesel, "2025-11-19-091444-0000_users", "2026-05-02-101407-0000_add_email");
        check(Layout::Prisma, "20251119091444_users", "20260502101407_add_email");
        check(Layout::SqlMigrate, "20251119091444-users", "20260502101407-add_email");
        check(Layout::Sqlx, "20251119091444_users", "20260502101407_add_email");
    }

    #[test]
    fn the_next_one_is_behind_the_last_one_whatever_the_clock_says() {
        check(Layout::Dunlin, "2026050207-users", "2026050208-add_email");
        check(Layout::Dunlin, "20260502_07_users", "20260502_08_add_email");
        check(Layout::Dunlin, "20270101120000_users", "20270101120001_add_email");
        // On the same day the names decide, so one that is behind needs no number.
        check(Layout::Dunlin, "20260502-aaa-b", "20260502-add-email");
        check(Layout::Dunlin, "20260502-users-b", "20260502_01-add-email");
        check(Layout::Dunlin, "20270101-users-b", "20270101_01-add-email");
    }

    #[test]
    fn an_order_by_name_that_has_no_next_is_told() {
        // dbmate sorts texts: `10` stands before `9`.
        let style = Style::of(Layout::Dbmate, Some("9_users"));
        let error = style.next("b", NOW).unwrap_err();
        assert_eq!(error, "no version in the style of `9_users` comes behind it");
    }

    #[test]
    fn what_a_file_cannot_be_called() {
        let slug = |words| Style::of(Layout::Dunlin, None).slug(words);
        assert_eq!(slug("a/b").unwrap_err(), "`/` cannot be in the name of a file");
        assert_eq!(slug("a\tb\n").unwrap_err(), "`\\t` cannot be in the name of a file");
        assert_eq!(slug(" _ ").unwrap_err(), "the name is empty");
        assert_eq!(slug(" add  v1.2 ").unwrap(), "add_v1_2");
    }

    fn paths(layout: Layout, undo: bool, marks_up: bool) -> Vec<String> {
        let wish = Wish { words: "a", rust: false, undo, moment: NOW };
        let files = files(layout, "V1__a", wish, marks_up).unwrap();
        files.into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn the_files_are_those_of_the_layout() {
        assert_eq!(paths(Layout::Dunlin, false, false), ["V1__a.sql"]);
        assert_eq!(paths(Layout::Dunlin, true, true), ["V1__a.up.sql", "V1__a.down.sql"]);
        assert_eq!(paths(Layout::Diesel, false, false), ["V1__a/up.sql", "V1__a/down.sql"]);
        assert_eq!(paths(Layout::Flyway, true, false), ["V1__a.sql", "U1__a.sql"]);
        assert_eq!(paths(Layout::Goose, true, false), ["V1__a.sql"]);
        let wish = Wish { words: "a", rust: true, undo: true, moment: NOW };
        assert!(files(Layout::Prisma, "1_a", wish, false).is_err());
        assert!(files(Layout::Refinery, "V1__a", Wish { rust: false, ..wish }, false).is_err());
        let rust = files(Layout::Dunlin, "1_a", wish, false).unwrap();
        assert_eq!(rust[0].path, "1_a.rs");
        let functions = crate::rust_source::functions(&rust[0].text);
        assert!(functions.up && functions.down);
    }

    #[test]
    fn a_draft_in_sections_is_read_as_migration_and_undo() {
        for layout in [Layout::Goose, Layout::Dbmate, Layout::SqlMigrate, Layout::Tern] {
            let wish = Wish { words: "a", rust: false, undo: true, moment: NOW };
            let text = &files(layout, "1_a", wish, false).unwrap()[0].text;
            assert!(text.contains("-- a\n") && text.contains("-- undo: a\n"), "{text}");
        }
    }
}
