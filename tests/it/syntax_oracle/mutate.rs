//! Small mistakes, made at random.

use dunlin_core::lexer::{TokenKind, lex};
use dunlin_core::syntax::words::Category;

use super::generate::Random;

/// A statement with one mistake in it, or with none that counts.
pub(super) struct Mutation {
    /// What was done.
    pub(super) kind: &'static str,
    pub(super) sql: String,
    /// The keyword that was mistyped, in small letters.
    pub(super) keyword: Option<String>,
}

/// One token deleted, doubled, swapped with the next, mistyped, or replaced by a keyword, by a name
/// or by another token of the statement.
pub(super) fn mutate(sql: &str, random: &mut Random) -> Option<Mutation> {
    let tokens: Vec<_> = lex(sql).tokens.into_iter().filter(|token| !token.is_trivia()).collect();
    let index = random.below(tokens.len());
    let (token, next) = (tokens[index], tokens.get(index + 1));
    let text = token.text(sql);
    let is_word = token.kind == TokenKind::Word && text.is_ascii();
    let replaced =
        |by: &str, end: usize| format!("{}{by}{}", &sql[..token.span.start], &sql[end..]);
    let end = token.span.end;
    let (kind, sql, keyword) = match random.below(7) {
        0 => ("deleted", replaced(" ", end), None),
        1 => ("doubled", replaced(&format!("{text} {text}"), end), None),
        2 => {
            let next = next?;
            ("swapped", replaced(&format!("{} {text}", next.text(sql)), next.span.end), None)
        }
        3 if is_word && text.len() > 3 => {
            let keyword = Category::of(text).map(|_| text.to_lowercase());
            ("mistyped", replaced(&mistyped(text, random), end), keyword)
        }
        4 if is_word => ("keyword", replaced(any_keyword(random), end), None),
        5 if is_word => ("name", replaced("abc", end), None),
        6 => {
            let other = tokens[random.below(tokens.len())];
            ("other", replaced(other.text(sql), end), None)
        }
        _ => return None,
    };
    Some(Mutation { kind, sql, keyword })
}

fn mistyped(word: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = random.below(letters.len() - 1);
    match random.below(3) {
        0 => drop(letters.remove(at)),
        1 => letters.swap(at, at + 1),
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}

fn any_keyword(random: &mut Random) -> &'static str {
    let words: Vec<_> = Category::ALL.into_iter().flat_map(Category::words).collect();
    words[random.below(words.len())]
}

/// Whether a false rejection is one of those that DESIGN.md lists: `at` is where it was seen.
pub(super) fn is_known_gap(sql: &str, at: usize) -> bool {
    let upper = sql.to_uppercase();
    let tokens: Vec<_> = lex(sql).tokens.into_iter().filter(|token| !token.is_trivia()).collect();
    let index = tokens.partition_point(|token| token.span.end <= at);
    let word = |index: usize| {
        tokens.get(index).map(|token| token.text(sql).to_uppercase()).unwrap_or_default()
    };
    let before = |offset: usize| index.checked_sub(offset).map(word).unwrap_or_default();
    let first = word(0);
    let is_empty_select = upper.contains("ON CONFLICT") && upper.contains("SELECT");
    is_empty_select && word(index) == "ON"
        || first == "ALTER" && ["VIEW", "INDEX", "SEQUENCE"].contains(&word(1).as_str())
        // `NOTNULL NOTNULL`.
        || before(1) == word(index)
        // PostgreSQL 14 takes `1AND` apart.
        || word(index).starts_with(|it: char| it.is_ascii_digit() || it == '.')
            && word(index).ends_with(|it: char| it.is_ascii_alphabetic())
        || upper.contains("ROWS FROM (")
        // These three too.
        || upper.contains("REFERENCES") && word(index) == ","
        || upper.contains("REFERENCING") && word(index) == "ROW"
        || upper.contains("OPERATOR (")
        || first == "REINDEX" && word(index).starts_with('"')
        || ["MOVE", "FETCH"].contains(&first.as_str())
        || upper.contains("OVER (SUBSTRING") || upper.contains("WINDOW SUBSTRING")
        || upper.contains("IS[]")
        // Refused by the server too, when it runs the statement.
        || upper.starts_with("SECURITY LABEL") && before(1) == "ON"
        || upper.starts_with("CREATE") && upper.contains(" RULE ") && before(1) == ")"
}
