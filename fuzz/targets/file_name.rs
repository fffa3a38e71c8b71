//! Any two names are judged and ordered; what is proposed is right.
#![no_main]

use std::cmp::Ordering;

use dunlin_core::filename::{Judgement, judge};
use dunlin_core::version::compare_names;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let names: Vec<&str> = text.split('\n').take(3).collect();
    for name in &names {
        match judge(name) {
            Judgement::Migration(found) => {
                assert!(name.starts_with(&found.stem), "{name}");
                assert_eq!(compare_names(&found.stem, &found.stem), Ordering::Equal);
            }
            Judgement::Misnamed { fact, suggestion } => {
                assert!(!fact.is_empty() && suggestion != *name, "{name}");
                // `<...>` is for the author to fill in.
                if !suggestion.contains('<') {
                    let is_right = matches!(judge(&suggestion), Judgement::Migration(_));
                    assert!(is_right, "{name} -> {suggestion}");
                }
            }
            Judgement::Bystander | Judgement::Unexpected => {}
        }
    }
    if let [a, b, c] = names[..] {
        assert_eq!(compare_names(a, b), compare_names(b, a).reverse());
        assert_eq!(compare_names(a, b) == Ordering::Equal, a == b);
        if compare_names(a, b).is_le() && compare_names(b, c).is_le() {
            assert!(compare_names(a, c).is_le());
        }
    }
});
