use super::*;
use crate::diagnostic::Place;
use proptest::prelude::*;
use proptest::sample::Index;

/// Names and texts of a folder, in order.
type Folder = Vec<(String, String)>;

fn entries<'a>(folder: &'a Folder, paths: &'a [String]) -> Vec<Entry<'a>> {
    let entry = |((name, text), path): (&'a (String, String), &'a String)| Entry {
        name,
        checksum: Checksum::of(text),
        path,
    };
    folder.iter().zip(paths).map(entry).collect()
}

fn paths(folder: &Folder) -> Vec<String> {
    folder.iter().map(|(name, _)| format!("migrations/{name}.sql")).collect()
}

fn sum_of(folder: &Folder) -> String {
    write(&entries(folder, &paths(folder)))
}

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile::new("migrations/dunlin.sum", text))
}

/// What is found when the folder is held against the text.
fn check(text: &str, folder: &Folder) -> Vec<Diagnostic> {
    match Sum::read(&file(text)) {
        Ok(sum) => sum.check(&entries(folder, &paths(folder))),
        Err(problems) => problems,
    }
}

/// Whether something is found that fails the build and names this migration.
#[track_caller]
fn assert_told(text: &str, folder: &Folder, name: &str) {
    let found = check(text, folder);
    let names_it = |it: &Diagnostic| it.rule() != Rule::Unrecorded && it.to_string().contains(name);
    assert!(found.iter().any(names_it), "{name} is not told:\n{found:#?}");
}

fn three() -> Folder {
    let migration =
        |name: &str, table: &str| (name.to_owned(), format!("CREATE TABLE {table} (id int);\n"));
    vec![migration("0001_a", "a"), migration("0002_b", "b"), migration("0003_c", "c")]
}

#[test]
fn the_hashes_are_those_of_the_format() {
    // Made with Python's hashlib and struct from the module's description.
    let expected = [
        "38e618fed748620be5ce9a1c9fdd98a4beccced96c757a70a994ecf44de2f272 0001_a",
        "a911d79b140d192ff90033ba3a4d34ca58b19f4d2265f41967d1c9db5a6bc985 0002_b",
        "6c57165f84746ea9c7b370fc66e32d2538fee739af2591a868928332c2b07fcf 0003_c",
    ];
    let text = sum_of(&three());
    assert_eq!(text.lines().skip(2).collect::<Vec<_>>(), expected);
    assert_eq!(text.lines().next(), Some("# dunlin.sum 1"));
    assert!(text.ends_with('\n'));
}

#[test]
fn a_name_and_a_text_cannot_be_taken_for_others() {
    let one = |name: &str, text: &str| sum_of(&vec![(name.to_owned(), text.to_owned())]);
    let hash = |text: String| text.lines().last().unwrap()[..64].to_owned();
    assert_ne!(hash(one("1_a", "b")), hash(one("1_ab", "")));
    assert_ne!(hash(one("1_a", "")), hash(one("1_", "a")));
}

#[test]
fn what_does_not_change_the_meaning_is_passed_over() {
    let folder = three();
    let text = sum_of(&folder);
    for variant in [
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r"),
        format!("\u{feff}{text}"),
        text.trim_end().to_owned(),
        format!("{text}\n\n# the end\n   # of it"),
        text.replace("\na911", "\n       a911"),
    ] {
        assert_eq!(check(&variant, &folder), [], "{variant:?}");
    }
}

#[test]
fn recording_adds_what_is_new_and_keeps_what_is_written() {
    let folder = three();
    let paths = paths(&folder);
    let all = entries(&folder, &paths);
    let first = record(None, &all[..1]).unwrap();
    assert_eq!((first.text.as_str(), first.n_new), (write(&all[..1]).as_str(), 1));
    let mine = first.text.replace("on purpose.", "on purpose.\n# ours").trim_end().to_owned();
    let rest = record(Some(&file(&mine)), &all).unwrap();
    assert_eq!(rest.n_new, 2);
    assert_eq!(rest.text, write(&all).replace("on purpose.", "on purpose.\n# ours"));
    let again = record(Some(&file(&rest.text)), &all).unwrap();
    assert_eq!((again.text, again.n_new), (rest.text, 0));
    let empty = record(Some(&file("# dunlin.sum 1")), &all[..1]).unwrap();
    assert_eq!(empty.text, format!("# dunlin.sum 1\n{}", lines(START, &all[..1])));
}

#[test]
fn what_is_begun_is_a_comment_until_it_is_recorded() {
    let released = vec![("1_a".to_owned(), "SELECT 1;".to_owned())];
    let mut folder = released.clone();
    folder.push(("2_b".to_owned(), "SELECT 2;".to_owned()));
    let begun = begin(&sum_of(&released), "2_b");
    assert!(begun.ends_with(" 1_a\n# begun: 2_b\n"), "{begun}");
    let found = check(&begun, &folder);
    assert!(found.iter().all(|it| it.rule() == Rule::Unrecorded), "{found:?}");
    let renamed = begun_as(&begun, "2_b", "3_b");
    assert_eq!(renamed, begun.replace("# begun: 2_b", "# begun: 3_b"));
    assert_eq!(begun_as(&begun, "1_a", "3_a"), begun);
    let recorded = record(Some(&file(&begun)), &entries(&folder, &paths(&folder))).unwrap();
    assert_eq!((recorded.text, recorded.n_new), (sum_of(&folder), 1));
}

#[test]
fn recording_refuses_what_a_build_refuses() {
    let folder = three();
    let old = file(&sum_of(&folder));
    let refused = |folder: &Folder| -> Vec<Rule> {
        let found = record(Some(&old), &entries(folder, &paths(folder))).unwrap_err();
        found.iter().map(Diagnostic::rule).collect()
    };
    let mut edited = three();
    edited[1].1.push('\n');
    edited.push(("0004_d".to_owned(), String::new()));
    assert_eq!(refused(&edited), [Rule::RecordedEdited]);
    assert_eq!(refused(&three()[..2].to_vec()), [Rule::RecordedMissing]);
    let mut late = three();
    late.insert(1, ("0001_late".to_owned(), String::new()));
    assert_eq!(refused(&late), [Rule::RecordedOrder]);
}

#[test]
fn a_place_is_the_migration_and_its_line() {
    let mut folder = three();
    let text = sum_of(&folder);
    folder[2].1.push(' ');
    let [problem] = check(&text, &folder).try_into().unwrap();
    assert_eq!(problem.place().map(Place::path), Some("migrations/0003_c.sql"));
    assert_eq!(problem.also[0].location().to_string(), "5:1");
}

fn many(n: usize) -> Folder {
    (1..=n).map(|index| (format!("{index:04}_x"), format!("SELECT {index};\n"))).collect()
}

#[test]
fn as_many_lines_are_shown_as_somebody_would_copy() {
    let n_lines = |found: &[Diagnostic]| {
        let told: String = found.iter().map(ToString::to_string).collect();
        told.lines().filter(|line| line.ends_with("_x") && !line.contains('|')).count()
    };
    let empty = sum_of(&many(0));
    assert_eq!(n_lines(&check(&empty, &many(20))), 20);
    assert_eq!(n_lines(&check(&empty, &many(21))), 0);
    let late = |n: usize| {
        let recorded: Folder = many(n).split_off(1);
        check(&sum_of(&recorded), &many(n))
    };
    assert_eq!(n_lines(&late(20)), 20);
    assert_eq!(n_lines(&late(21)), 0);
}

#[test]
fn no_lines_are_shown_that_would_hide_an_edit() {
    let mut folder = many(4);
    let text = sum_of(&many(3));
    folder[0].1.push(' ');
    let found = check(&text, &folder);
    let rules: Vec<_> = found.iter().map(Diagnostic::rule).collect();
    assert_eq!(rules, [Rule::RecordedEdited, Rule::Unrecorded]);
    assert!(
        !found[1].to_string().contains(" 0004_x\n")
            && found[1].helps == ["record it when it is released"]
    );
    let late = sum_of(&vec![many(4)[0].clone(), many(4)[2].clone()]);
    let found = check(&late, &folder);
    let rules: Vec<_> = found.iter().map(Diagnostic::rule).collect();
    assert_eq!(rules, [Rule::RecordedEdited, Rule::RecordedOrder, Rule::Unrecorded]);
    assert_eq!(found[1].helps.len(), 1);
}

fn folders() -> impl Strategy<Value = Folder> {
    let texts = prop::collection::vec("[a-c; \n]{0,12}", 1..9);
    texts.prop_map(|texts| {
        let name =
            |index: usize| format!("{:04}_{}", (index + 1) * 10, ["a", "b c", "é"][index % 3]);
        texts.into_iter().enumerate().map(|(index, text)| (name(index), text)).collect()
    })
}

proptest! {
    // Hashing is slow without optimisation.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_is_found_about_what_is_as_it_was(folder in folders(), n in any::<Index>()) {
        let n_recorded = n.index(folder.len() + 1);
        let text = sum_of(&folder[..n_recorded].to_vec());
        let found = check(&text, &folder);
        prop_assert_eq!(found.len(), usize::from(n_recorded < folder.len()));
        prop_assert!(found.iter().all(|it| it.rule() == Rule::Unrecorded));
        let paths = paths(&folder);
        let all = entries(&folder, &paths);
        prop_assert_eq!(record(Some(&file(&text)), &all).unwrap().text, write(&all));
    }

    #[test]
    fn every_edit_is_found(folder in folders(), which in any::<Index>(), at in any::<Index>(), with in "[a-d;\n]{1,3}") {
        let text = sum_of(&folder);
        let mut edited = folder;
        let index = which.index(edited.len());
        let at = at.index(edited[index].1.len() + 1);
        edited[index].1.insert_str(at, &with);
        let name = edited[index].0.clone();
        assert_told(&text, &edited, &name);
        prop_assert_eq!(check(&text, &edited).len(), 1, "one edit is one problem");
    }

    #[test]
    fn several_edits_are_all_found(folder in folders(), which in prop::collection::vec(any::<bool>(), 9)) {
        let text = sum_of(&folder);
        let mut edited = folder;
        let mut names = Vec::new();
        for ((name, text), _) in edited.iter_mut().zip(&which).filter(|(_, is_edited)| **is_edited) {
            text.push('x');
            names.push(name.clone());
        }
        for name in &names {
            assert_told(&text, &edited, name);
        }
        prop_assert_eq!(check(&text, &edited).len(), names.len());
    }

    #[test]
    fn every_removal_is_found(folder in folders(), which in any::<Index>()) {
        let text = sum_of(&folder);
        let mut less = folder;
        let (name, _) = less.remove(which.index(less.len()));
        assert_told(&text, &less, &name);
        prop_assert_eq!(check(&text, &less).len(), 1);
    }

    #[test]
    fn every_insertion_before_a_recorded_one_is_found(folder in folders(), which in any::<Index>(), new in "[a-c]{0,3}") {
        let text = sum_of(&folder);
        let mut more = folder;
        let at = which.index(more.len());
        let name = format!("{:04}_new", at * 10 + 5);
        more.insert(at, (name.clone(), new));
        assert_told(&text, &more, &name);
        prop_assert_eq!(check(&text, &more).len(), 1);
    }

    #[test]
    fn every_renaming_is_found(folder in folders(), which in any::<Index>()) {
        let text = sum_of(&folder);
        let mut renamed = folder;
        let index = which.index(renamed.len());
        let old = std::mem::replace(&mut renamed[index].0, format!("{:04}_other", index * 10 + 11));
        assert_told(&text, &renamed, &old);
        let found = check(&text, &renamed);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].rule(), Rule::RecordedMissing);
    }

    #[test]
    fn every_swap_of_two_texts_is_found(folder in folders(), one in any::<Index>(), other in any::<Index>()) {
        let text = sum_of(&folder);
        let mut swapped = folder;
        let (one, other) = (one.index(swapped.len()), other.index(swapped.len()));
        prop_assume!(swapped[one].1 != swapped[other].1);
        let texts = (swapped[one].1.clone(), swapped[other].1.clone());
        (swapped[other].1, swapped[one].1) = texts;
        for index in [one, other] {
            let name = swapped[index].0.clone();
            assert_told(&text, &swapped, &name);
        }
    }

    #[test]
    fn every_reordering_of_the_folder_is_found(folder in folders(), one in any::<Index>(), other in any::<Index>()) {
        let text = sum_of(&folder);
        let mut reordered = folder;
        let (one, other) = (one.index(reordered.len()), other.index(reordered.len()));
        prop_assume!(one != other);
        reordered.swap(one, other);
        let found = check(&text, &reordered);
        prop_assert!(found.iter().any(|it| it.rule() == Rule::RecordedOrder), "{found:#?}");
    }

    #[test]
    fn every_change_of_a_line_is_found(folder in folders(), which in any::<Index>(), at in any::<Index>(), with in "[0-9a-f]") {
        let text = sum_of(&folder);
        let index = which.index(folder.len());
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let at = at.index(64);
        prop_assume!(lines[index + 2][at..=at] != with);
        lines[index + 2].replace_range(at..=at, &with);
        let changed = lines.join("\n");
        assert_told(&changed, &folder, &folder[index].0);
        prop_assert_eq!(check(&changed, &folder).len(), 1);
    }

    #[test]
    fn lines_that_are_removed_doubled_or_swapped_are_found(folder in folders(), one in any::<Index>(), other in any::<Index>()) {
        let text = sum_of(&folder);
        let lines: Vec<_> = text.lines().collect();
        let (one, other) = (one.index(folder.len()), other.index(folder.len()));
        let mut removed = lines.clone();
        let _line = removed.remove(one + 2);
        let found = check(&removed.join("\n"), &folder);
        let is_last = one + 1 == folder.len();
        let rule = if is_last { Rule::Unrecorded } else { Rule::RecordedOrder };
        prop_assert_eq!(found.iter().map(Diagnostic::rule).collect::<Vec<_>>(), [rule]);
        let mut doubled = lines.clone();
        doubled.insert(other + 2, lines[one + 2]);
        assert_told(&doubled.join("\n"), &folder, &folder[one].0);
        if one != other {
            let mut swapped = lines;
            swapped.swap(one + 2, other + 2);
            let found = check(&swapped.join("\n"), &folder);
            prop_assert!(found.iter().any(|it| it.rule() == Rule::RecordedOrder), "{found:#?}");
        }
    }

    /// Whatever somebody does to the bytes: it is told, or the lines mean what they meant.
    #[test]
    fn no_change_of_the_file_is_passed_over(folder in folders(), at in any::<Index>(), with in "\\PC{0,2}|[\r\n #]") {
        let text = sum_of(&folder);
        let mut changed: Vec<char> = text.chars().collect();
        let at = at.index(changed.len());
        let _old: Vec<_> = changed.splice(at..=at, with.chars()).collect();
        let changed: String = changed.into_iter().collect();
        if check(&changed, &folder).is_empty() {
            let sum = Sum::read(&file(&changed)).unwrap();
            let links: Vec<_> = sum.lines.iter().map(|line| (line.link, line.name.clone())).collect();
            let all = Sum::read(&file(&text)).unwrap();
            let expected: Vec<_> = all.lines.iter().map(|line| (line.link, line.name.clone())).collect();
            prop_assert_eq!(links, expected);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(# dunlin.sum 1\n)?[0-9a-f \n#<=é_]{0,200}", folder in folders()) {
        let _found = check(&text, &folder);
    }

    /// Two branches record one migration each; somebody keeps both lines, in either order.
    #[test]
    fn lines_of_two_branches_are_mended_by_the_message(folder in folders(), first in any::<bool>()) {
        prop_assume!(folder.len() >= 3);
        let n = folder.len() - 2;
        let common: Folder = folder[..n].to_vec();
        let branch = |index: usize| {
            let mut branch = common.clone();
            branch.push(folder[index].clone());
            sum_of(&branch).lines().last().unwrap().to_owned()
        };
        let (mut one, mut other) = (branch(n), branch(n + 1));
        if first {
            std::mem::swap(&mut one, &mut other);
        }
        let merged = format!("{}{one}\n{other}\n", sum_of(&common));
        let found = check(&merged, &folder);
        prop_assert_eq!(found.iter().map(Diagnostic::rule).collect::<Vec<_>>(), [Rule::RecordedOrder]);
        let told = found[0].to_string();
        for line in sum_of(&folder).lines().skip(2 + n + usize::from(!first)) {
            prop_assert!(told.contains(line), "{told}");
        }
    }
}
