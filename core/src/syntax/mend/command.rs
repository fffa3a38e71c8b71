//! Single commands of which PostgreSQL takes more than the parser.

use super::Edit;
use crate::lexer::TokenKind;
use crate::syntax::view::View;
use crate::syntax::words::Category;

/// What is known of single commands.
pub(super) fn edits(view: &View<'_>, at: usize, edits: &mut Vec<Edit>) {
    if view.has(0, "CREATE") {
        create(view, at, edits);
    }
    if view.has(0, "ALTER STATISTICS IF EXISTS") {
        edits.push(Edit::Blank(2, 4));
    }
    // A role without options is taken, a user without is not; they are one command.
    if view.has(0, "ALTER USER") && !view.has(2, "MAPPING") {
        edits.push(Edit::Word(1, "ROLE"));
    }
    // Of privileges there is only GRANT OPTION, which the parser knows.
    let has_objects = (1..view.pieces.len()).any(|it| view.has(it, "ON"));
    if view.has(0, "REVOKE") && view.has(2, "OPTION FOR") && !has_objects {
        edits.push(Edit::Blank(1, 4));
    }
    edits.extend(role_option(view, at));
    edits.extend(drop_list(view, at));
    edits.extend(type_name(view, at));
    edits.extend(explained(view));
    edits.extend(options_in_parentheses(view));
    edits.extend(options_of_cursor(view));
    edits.extend(options_of_extension(view));
    edits.extend(conflicting_index(view, at));
    // A cursor may stand directly behind the direction.
    let is_direction = view.has(1, "BACKWARD") || view.has(1, "FORWARD");
    if is_direction && view.pieces.len() == 3 && (view.has(0, "FETCH") || view.has(0, "MOVE")) {
        edits.push(Edit::Blank(1, 2));
    }
    // The parser waits for ZONE.
    let is_asked = view.has(0, "RESET TIME") || view.has(0, "SHOW TIME");
    if is_asked && view.pieces.len() == 2 {
        edits.push(Edit::name(1));
    }
    if view.has(0, "ALTER DEFAULT PRIVILEGES")
        && ["FOR ROLE", "FOR USER", "IN SCHEMA"].iter().any(|words| view.has(at, words))
        && let Some(end) = names_end(view, at + 2, false)
    {
        edits.push(Edit::Blank(at, end));
    }
    if view.has(0, "CREATE SCHEMA")
        && at > 0
        && view.has(at - 1, "AUTHORIZATION")
        && is_role(view, at)
    {
        edits.push(Edit::name(at));
    }
    // `RESTART` of an identity column, with more behind it.
    let goes_on = view.has(at, "SET") || view.has(at, "RESTART");
    let restarts = (0..at).rev().take_while(|&it| view.has(it, "RESTART")).count();
    if view.has(0, "ALTER TABLE") && goes_on && restarts > 0 {
        edits.push(Edit::Blank(at - restarts, at));
    }
    let is_server = at > 0 && view.has(1, "SERVER");
    if is_server && view.has(at, "NULL") && view.has(at - 1, "VERSION") {
        edits.push(Edit::Text(at));
    }
    if view.has(0, "COPY") {
        let delimiters = at + usize::from(view.has(at, "USING"));
        if view.has(delimiters, "DELIMITERS")
            && view.kind(delimiters + 1) == Some(TokenKind::String)
        {
            edits.push(Edit::Blank(at, delimiters + 2));
        }
    }
    settings(view, at, edits);
    columns(view, at, edits);
}

/// `GRANT a TO b WITH grant FALSE`: to the grammar any word is the name of an option.
fn role_option(view: &View<'_>, at: usize) -> Option<Edit> {
    const KNOWN: &str = "SET";
    let is_option = |&index: &usize| {
        index > 0
            && (view.has(index - 1, "WITH") || view.kind(index - 1) == Some(TokenKind::Comma))
            && (view.has(index + 1, "TRUE") || view.has(index + 1, "FALSE"))
            && view.text(index).len() >= KNOWN.len()
    };
    let index = [Some(at), at.checked_sub(1)].into_iter().flatten().find(is_option)?;
    view.has(0, "GRANT").then_some(Edit::Word(index, KNOWN))
}

fn create(view: &View<'_>, at: usize, edits: &mut Vec<Edit>) {
    let n = view.pieces.len();
    // Behind `FROM f()`, WITH is taken for the beginning of WITH ORDINALITY.
    let is_filled = view.has(1, "MATERIALIZED") || (1..5).any(|it| view.has(it, "TABLE"));
    for tail in ["WITH DATA", "WITH NO DATA"] {
        let length = tail.split(' ').count();
        if is_filled && n > length && view.has(n - length, tail) {
            edits.push(Edit::Blank(n - length, n));
        }
    }
    // Without a type before it, it is taken for one.
    if let Some(returns) =
        at.checked_sub(1).filter(|&it| view.has(it, "RETURNS NULL ON NULL INPUT"))
    {
        edits.push(Edit::Blank(returns, returns + 5));
    }
    let mut kind = 1;
    while view.has(kind, "TRUSTED") || view.has(kind, "PROCEDURAL") {
        kind += 1;
    }
    if kind > 1 && view.has(kind, "LANGUAGE") {
        edits.push(Edit::Blank(1, kind));
    }
    edits.extend(trigger_arguments(view, at));
    edits.extend(statistics_from(view, at));
    edits.extend(array_of_parameter(view, at));
}

/// `CREATE FUNCTION f(jsonb ARRAY[4])`: without a name before it, the type is taken for one.
fn array_of_parameter(view: &View<'_>, at: usize) -> Option<Edit> {
    let is_routine = ["FUNCTION", "PROCEDURE"]
        .iter()
        .any(|kind| view.has(1, kind) || view.has(1, &format!("OR REPLACE {kind}")));
    if !is_routine || !view.has(at, "ARRAY") {
        return None;
    }
    let length = view.closing(at + 1).filter(|_| view.text(at + 1) == "[");
    Some(Edit::Blank(at, length.unwrap_or(at) + 1))
}

/// `CREATE STATISTICS ... FROM ONLY t AS u`: what may stand behind FROM in a query.
fn statistics_from(view: &View<'_>, at: usize) -> Option<Edit> {
    if !view.has(1, "STATISTICS") {
        return None;
    }
    let from = (0..=at).rev().find(|&it| view.has(it, "FROM"))?;
    // Nothing that follows FROM in a query can precede its WHERE.
    let proof = format!("SELECT {} WHERE q", &view.sql[view.start(from)..]);
    Some(Edit::Name(from + 1, view.pieces.len()).proven(proof))
}

/// `EXPLAIN REFRESH MATERIALIZED VIEW v`.
fn explained(view: &View<'_>) -> Option<Edit> {
    if !view.has(0, "EXPLAIN") {
        return None;
    }
    let refresh = (1..view.pieces.len()).find(|&it| view.has(it, "REFRESH MATERIALIZED VIEW"))?;
    let proof = format!("{} SELECT 1", &view.sql[..view.start(refresh)]);
    Some(Edit::Blank(0, refresh).proven(proof))
}

/// `REINDEX (any_word) TABLE t`: the grammar leaves the names of options to the command.
fn options_in_parentheses(view: &View<'_>) -> Option<Edit> {
    let commands = ["ANALYSE", "ANALYZE", "CLUSTER", "EXPLAIN", "REINDEX", "VACUUM"];
    let has_options = commands.iter().any(|command| view.has(0, command));
    let close = view.closing(1).filter(|_| has_options)?;
    let is_word = |index| {
        view.kind(index) == Some(TokenKind::Word)
            && (Category::of(view.text(index)) != Some(Category::Reserved)
                || view.has(index, "ANALYSE")
                || view.has(index, "ANALYZE"))
    };
    let mut at = 2;
    loop {
        if !is_word(at) {
            return None;
        }
        at += 1;
        let is_value = matches!(view.kind(at), Some(TokenKind::Number | TokenKind::String))
            || ["TRUE", "FALSE", "ON"].iter().any(|word| view.has(at, word));
        at += usize::from(is_value || is_word(at));
        if at == close {
            return Some(Edit::Blank(1, close + 1));
        }
        if view.kind(at) != Some(TokenKind::Comma) {
            return None;
        }
        at += 1;
    }
}

/// `DECLARE c SCROLL ASENSITIVE BINARY BINARY CURSOR`: in any order, and more than once.
fn options_of_cursor(view: &View<'_>) -> Option<Edit> {
    let cursor = (2..view.pieces.len()).find(|&it| view.has(it, "CURSOR"))?;
    let is_option = |it| {
        let words = ["ASENSITIVE", "BINARY", "INSENSITIVE", "NO SCROLL", "SCROLL"];
        words.iter().any(|words| view.has(it, words))
    };
    let are_options = cursor > 2 && (2..cursor).all(is_option);
    (view.has(0, "DECLARE") && are_options).then_some(Edit::Blank(2, cursor))
}

/// `CREATE EXTENSION e CASCADE SCHEMA s CASCADE`: the same.
fn options_of_extension(view: &View<'_>) -> Option<Edit> {
    if !view.has(0, "CREATE EXTENSION") {
        return None;
    }
    let name = if view.has(2, "IF NOT EXISTS") { 5 } else { 2 };
    let first = name + 1 + usize::from(view.has(name + 1, "WITH"));
    let mut at = first;
    while at < view.pieces.len() {
        let is_text = view.kind(at + 1) == Some(TokenKind::String);
        at += match () {
            () if view.has(at, "CASCADE") => 1,
            () if view.has(at, "SCHEMA") && is_name(view, at + 1) => 2,
            () if view.has(at, "VERSION") && (is_text || is_name(view, at + 1)) => 2,
            () => return None,
        };
    }
    (at > first).then_some(Edit::Blank(name + 1, at))
}

/// `ON CONFLICT (a class (option))`: what `CREATE INDEX` may have, of which the parser knows less here.
fn conflicting_index(view: &View<'_>, at: usize) -> Option<Edit> {
    let open = (0..at).rev().find(|&it| view.has(it, "CONFLICT"))? + 1;
    let close = view.closing(open).filter(|&close| at <= close)?;
    let list = &view.sql[view.start(open)..view.end_before(close + 1)];
    Some(Edit::Name(open + 1, close).proven(format!("CREATE INDEX ON q {list}")))
}

/// `DROP LANGUAGE a, b`: what may be several to PostgreSQL and is one to the parser.
fn drop_list(view: &View<'_>, at: usize) -> Option<Edit> {
    let is_one = [
        "ACCESS METHOD",
        "CONVERSION",
        "EVENT TRIGGER",
        "LANGUAGE",
        "PROCEDURAL LANGUAGE",
        "TEXT SEARCH CONFIGURATION",
        "TEXT SEARCH DICTIONARY",
        "TEXT SEARCH PARSER",
        "TEXT SEARCH TEMPLATE",
    ];
    let is_comma = view.has(0, "DROP") && view.kind(at) == Some(TokenKind::Comma);
    if !is_comma || !is_one.iter().any(|words| view.has(1, words)) {
        return None;
    }
    let has_schema = view.has(1, "CONVERSION") || view.has(1, "TEXT SEARCH");
    names_end(view, at + 1, has_schema).map(|end| Edit::Blank(at, end))
}

/// `COMMENT ON TYPE double precision`, `DROP DOMAIN a, int[]`: types that are more than a name.
fn type_name(view: &View<'_>, at: usize) -> Option<Edit> {
    let keyword = (1..8).find(|&it| view.has(it, "TYPE") || view.has(it, "DOMAIN"))?;
    let is_dropped = view.has(0, "DROP") && keyword == 1;
    let is_told_of =
        (view.has(0, "COMMENT") || view.has(0, "SECURITY LABEL")) && view.has(keyword - 1, "ON");
    if !is_dropped && !is_told_of {
        return None;
    }
    let mut first = keyword + 1;
    if is_dropped && view.has(first, "IF EXISTS") {
        first += 2;
    }
    let mut depth = 0usize;
    let ends = ["IS", "CASCADE", "RESTRICT"];
    let begin = first;
    for index in begin..=view.pieces.len() {
        let is_end = match view.kind(index) {
            None => true,
            Some(TokenKind::Comma) => depth == 0,
            _ => ends.iter().any(|word| view.has(index, word)),
        };
        if is_end && index > at {
            let text = &view.sql[view.start(first)..view.end_before(index)];
            let proof = format!("SELECT CAST(NULL AS {text})");
            return Some(Edit::Name(first, index).proven(proof));
        }
        if is_end {
            first = index + 1;
        }
        match view.kind(index) {
            Some(TokenKind::OpenParen) => depth += 1,
            Some(TokenKind::CloseParen) => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// Where a list of names ends that begins at a token; whether each may be in a schema is told.
fn names_end(view: &View<'_>, first: usize, has_schema: bool) -> Option<usize> {
    let mut at = first;
    loop {
        if !is_name(view, at) {
            return None;
        }
        at += 1;
        while has_schema
            && view.kind(at) == Some(TokenKind::Dot)
            && view.kind(at + 1) == Some(TokenKind::Word)
        {
            at += 2;
        }
        if view.kind(at) != Some(TokenKind::Comma) {
            return Some(at);
        }
        at += 1;
    }
}

/// Whether a name stands at a token, or a word for a role.
fn is_name(view: &View<'_>, index: usize) -> bool {
    match view.kind(index) {
        Some(TokenKind::QuotedIdentifier) => true,
        Some(TokenKind::Word) => {
            !matches!(
                Category::of(view.text(index)),
                Some(Category::Reserved | Category::FunctionName)
            ) || is_role(view, index)
        }
        _ => false,
    }
}

/// Whether a token stands for the role of the session.
fn is_role(view: &View<'_>, index: usize) -> bool {
    ["CURRENT_ROLE", "CURRENT_USER", "SESSION_USER"].iter().any(|role| view.has(index, role))
}

/// `EXECUTE FUNCTION f (, table, 1, 'x')`: what is handed to a trigger's function may be any word.
fn trigger_arguments(view: &View<'_>, at: usize) -> Option<Edit> {
    let execute = (0..at)
        .rev()
        .find(|&it| view.has(it, "EXECUTE FUNCTION") || view.has(it, "EXECUTE PROCEDURE"))?;
    let open = (execute..at).find(|&it| view.kind(it) == Some(TokenKind::OpenParen))?;
    let close =
        (open..view.pieces.len()).find(|&it| view.kind(it) == Some(TokenKind::CloseParen))?;
    // The first may be missing. Each other token follows a token of the other kind.
    let is_argument = |it: usize| match view.kind(it) {
        Some(TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::Number) => true,
        Some(TokenKind::String) => view.text(it).starts_with(['\'', 'E', 'e', 'U', 'u']),
        _ => false,
    };
    let is_list = (open + 1..close).all(|it| match view.kind(it) {
        Some(TokenKind::Comma) => it + 1 < close && view.kind(it + 1) != Some(TokenKind::Comma),
        _ => is_argument(it) && (it == open + 1 || view.kind(it - 1) == Some(TokenKind::Comma)),
    });
    (at <= close && is_list).then_some(Edit::Blank(open + 1, close))
}

/// `SET NAMES 'utf8'`, `SET role TO default`, `ALTER ROLE r SET TIME ZONE 'utc'`.
fn settings(view: &View<'_>, at: usize, edits: &mut Vec<Edit>) {
    for set in (0..=at).rev().take(6).filter(|&index| view.has(index, "SET")) {
        let name =
            set + 1 + usize::from(view.has(set + 1, "LOCAL") || view.has(set + 1, "SESSION"));
        if view.has(name, "NAMES") && view.kind(name + 1).is_none() {
            edits.push(Edit::Word(name, "q=1"));
        } else if view.has(name, "NAMES") {
            edits.push(Edit::Setting(name, name + 1));
        }
        if view.has(name, "TIME ZONE") {
            edits.push(Edit::Setting(name, name + 2));
        }
        if view.has(name, "ROLE") || view.has(name, "TIME") {
            edits.push(Edit::name(name));
        }
    }
}

/// Parts of columns and constraints.
fn columns(view: &View<'_>, at: usize, edits: &mut Vec<Edit>) {
    if view.has(0, "ALTER") && (view.has(at, "COMPRESSION") || view.has(at, "STORAGE")) {
        edits.push(Edit::Blank(at, at + 2));
    }
    let is_in_exclude = (0..at).any(|index| view.has(index, "EXCLUDE"));
    // EXCLUDE (time WITH &&): the parser waits for TIME ZONE.
    if is_in_exclude {
        let times = (0..at).rev().take(8).filter(|&index| {
            index > 0
                && (view.has(index, "TIME") || view.has(index, "TIMESTAMP"))
                && matches!(view.kind(index - 1), Some(TokenKind::OpenParen | TokenKind::Comma))
        });
        edits.extend(times.map(Edit::name));
    }
    // An operator class in EXCLUDE (column class WITH &&).
    let with = (at..view.pieces.len())
        .take(8)
        .take_while(|&index| view.kind(index) != Some(TokenKind::Comma))
        .find(|&index| view.has(index, "WITH"));
    if let Some(with) = with
        && with > at
        && is_in_exclude
    {
        edits.push(Edit::Blank(at, with));
    }
}

/// `DO` with its text and its language in any order, `DO LANGUAGE 'plpgsql' 'BEGIN END'`.
pub(super) fn is_do(view: &View<'_>) -> bool {
    let is_string =
        |index| matches!(view.kind(index), Some(TokenKind::String | TokenKind::DollarString));
    let mut at = 1;
    while at < view.pieces.len() {
        if view.has(at, "LANGUAGE") {
            at += 1;
            if !is_string(at) && view.kind(at) != Some(TokenKind::Word) {
                return false;
            }
        } else if !is_string(at) {
            return false;
        }
        at += 1;
    }
    view.has(0, "DO") && at > 1
}
