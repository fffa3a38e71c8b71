//! Which functions a migration in Rust has, without parsing Rust.
//!
//! rustc itself checks everything else about the file; the macro needs to know only whether there is
//! an `up`, and whether there is a `down` to refer to.
//!
//! **Invariant:** text inside comments, strings and braces is never taken for a function.

/// The functions of a migration in Rust.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Functions {
    /// `pub async fn up` at the top level.
    pub up: bool,
    /// `pub async fn down` at the top level.
    pub down: bool,
}

/// Finds `pub async fn up` and `pub async fn down` at the top level of a file.
#[must_use]
pub fn functions(text: &str) -> Functions {
    let mut found = Functions::default();
    let mut depth = 0usize;
    let mut recent = [""; 4];
    let mut rest = text;
    while let Some((word, length)) = next_word(rest) {
        rest = &rest[length..];
        match word {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > 0 || word.is_empty() {
            continue;
        }
        recent.rotate_left(1);
        recent[3] = word;
        match recent {
            ["pub", "async", "fn", "up"] => found.up = true,
            ["pub", "async", "fn", "down"] => found.down = true,
            _ => {}
        }
    }
    found
}

/// The next word or sign, empty for what carries no meaning here, and how many bytes it takes.
fn next_word(text: &str) -> Option<(&str, usize)> {
    let first = text.chars().next()?;
    let skipped = |length: usize| Some(("", length.max(first.len_utf8())));
    if text.starts_with("//") {
        return skipped(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return skipped(block_comment(text));
    }
    if let Some(length) = literal(text) {
        return skipped(length);
    }
    if first.is_alphabetic() || first == '_' {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        return Some((&text[..end], end));
    }
    if first.is_whitespace() {
        return skipped(0);
    }
    Some((&text[..first.len_utf8()], first.len_utf8()))
}

/// The length of a nested block comment, to the end of the text if it is never closed.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of a string, byte string, raw string or character literal at the start of the text.
fn literal(text: &str) -> Option<usize> {
    let prefix = text.bytes().take_while(|byte| matches!(byte, b'r' | b'b' | b'c')).count();
    let (marks, body) = text.split_at(prefix.min(2));
    let n_hashes = body.bytes().take_while(|byte| *byte == b'#').count();
    if marks.contains('r') && body[n_hashes..].starts_with('"') {
        let close = format!("\"{}", "#".repeat(n_hashes));
        let inside = marks.len() + n_hashes + 1;
        return Some(
            text[inside..].find(&close).map_or(text.len(), |at| inside + at + close.len()),
        );
    }
    let quote = body.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    if quote == '\'' && !is_character(body) {
        return None; // A lifetime.
    }
    let mut escaped = false;
    for (index, character) in body.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(marks.len() + index + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// Whether a `'` opens a character and not a lifetime: `'a'`, `'\n'`, but not `'a`.
fn is_character(text: &str) -> bool {
    let mut characters = text.chars().skip(1);
    characters.next() == Some('\\') || characters.next() == Some('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, up: bool, down: bool) {
        assert_eq!(functions(text), Functions { up, down }, "{text}");
    }

    #[test]
    fn functions_at_the_top_level_are_found() {
        check("pub async fn up(cx: &mut Context<'_>) -> Result<()> { Ok(()) }", true, false);
        check(
            "//! Doc.\nuse x;\npub async fn up() {}\n/// Undo.\npub async fn down() {}",
            true,
            true,
        );
        check("#[allow(dead_code)] pub /* x */ async\nfn up() {}", true, false);
    }

    #[test]
    fn what_only_looks_like_one_is_not() {
        check("", false, false);
        check("pub fn up() {}", false, false);
        check("async fn up() {}", false, false);
        check("pub async fn update() {}", false, false);
        check("// pub async fn up() {}", false, false);
        check("/* /* */ pub async fn up() {} */", false, false);
        check("mod inner { pub async fn up() {} }", false, false);
        check(
            r##"const A: &str = "pub async fn up"; const B: &str = r#"" pub async fn down"#;"##,
            false,
            false,
        );
        check("const A: char = '{'; const B: u8 = b'\\''; pub async fn up<'a>() {}", true, false);
        check("const A: &str = \"\\\"{\"; pub async fn down() {}", false, true);
        check("const A: &str = \"a; pub async fn up() {} \";", false, false);
        check(r##"const A: &str = r#"# pub async fn up() {} "#;"##, false, false);
        check(r##"const A: &str = r#"{"#; pub async fn up() {}"##, true, false);
        check(
            r##"const A: &[u8] = br#"# pub async fn up() {} "#; pub async fn down() {}"##,
            false,
            true,
        );
        check("/* never closed pub async fn up() {}", false, false);
    }
}
