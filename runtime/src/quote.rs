//! Names and texts inside SQL.
//!
//! Dunlin speaks the simple query protocol, which has no parameters, because named prepared
//! statements fail behind a pooler. So every value that enters a statement goes through here.
//!
//! **Invariant:** no other code puts a value between quotes.

/// A name as SQL reads it: `Order"s` becomes `"Order""s"`.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL reads it, whatever `standard_conforming_strings` is set to.
///
/// An escape string means the same under both settings (PostgreSQL manual, 4.1.2.2).
pub(crate) fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 3);
    quoted.push_str("E'");
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str("\\\\"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A text, or `NULL`.
pub(crate) fn optional_literal(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_cannot_end_a_value() {
        assert_eq!(identifier("Order\"s"), "\"Order\"\"s\"");
        assert_eq!(literal("it's \\ 'x"), "E'it''s \\\\ ''x'");
        assert_eq!(optional_literal(None), "NULL");
    }
}
