//! The text of an error, checked as every error's text must be.

use std::error::Error as _;

/// What `{:#}` shows, after checking what holds of all errors: `{}` is its first line, `{:?}` is the
/// same, no cause is repeated by a chain of sources, and nothing is said twice.
#[track_caller]
pub fn rendered(error: &dunlin::Error) -> String {
    let text = format!("{error:#}");
    assert_eq!(format!("{error:?}"), text);
    assert_eq!(error.to_string(), text.lines().next().unwrap_or_default());
    assert!(error.source().is_none(), "{text}\nwould be followed by {:?}", error.source());
    let said = |part: &str| text.matches(part).count();
    if let Some(db) = error.db_error() {
        for part in [Some(db.message()), db.detail(), db.hint()].into_iter().flatten() {
            assert_eq!(said(part), 1, "{part:?} in\n{text}");
        }
        assert_eq!(said(&format!("({})", db.code().code())), 1, "{text}");
    }
    for line in text.lines().filter(|line| line.contains("note: ") || line.contains("help: ")) {
        assert_eq!(said(line), 1, "{line:?} in\n{text}");
    }
    text
}
