//! What is recorded is found as it is; what differs is told; no text is misread.
#![no_main]

use std::sync::Arc;

use dunlin_core::sum::{Entry, Sum, record, write};
use dunlin_core::{Checksum, Rule, SourceFile};
use libfuzzer_sys::fuzz_target;

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile::new("migrations/dunlin.sum", text))
}

fuzz_target!(|text: &str| {
    // As a sum, which may be anything.
    match Sum::read(&file(text)) {
        Ok(sum) => drop(sum.check(&[])),
        Err(problems) => assert!(!problems.is_empty()),
    }
    // As migrations, a line for each.
    let names: Vec<String> = (1..20).map(|n| format!("{n:04}_a")).collect();
    let entries: Vec<Entry<'_>> = names
        .iter()
        .zip(text.lines())
        .map(|(name, text)| Entry { name, checksum: Checksum::of(text), path: name })
        .collect();
    let old = file(&write(&entries));
    let sum = Sum::read(&old).unwrap();
    assert_eq!(sum.check(&entries), []);
    assert_eq!(record(Some(&old), &entries).unwrap().text, old.text());
    for index in 0..entries.len() {
        let mut edited = entries.clone();
        edited[index].checksum = Checksum::of(&format!("{text}\nx"));
        let found = sum.check(&edited);
        assert_eq!(found.len(), 1, "one edit is one problem");
        assert_eq!(found[0].rule(), Rule::RecordedEdited);
    }
    // What stands on a line counts: any other text of the sum is told or says the same.
    if let Some((_, shorter)) = entries.split_last() {
        let found = sum.check(shorter);
        assert_eq!(found.len(), 1, "a removal is one problem");
    }
});
