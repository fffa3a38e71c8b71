//! Tables of texts and their tokens.

use super::TokenKind::{
    BlockComment, CloseBracket, CloseParen, Colon, Comma, CopyData, DollarString, Dot, LineComment,
    Number, OpenBracket, OpenParen, Operator, Parameter, PsqlCommand, QuotedIdentifier, Semicolon,
    String as Str, Unknown, Whitespace, Word,
};
use super::{TokenKind, UnterminatedKind, lex, same_code};
use crate::source::Span;

/// Compares the tokens apart from whitespace.
#[track_caller]
fn check(sql: &str, expected: &[(TokenKind, &str)]) {
    let lexed = lex(sql);
    let whole: String = lexed.tokens.iter().map(|token| token.text(sql)).collect();
    assert_eq!(whole, sql);
    let found: Vec<_> = lexed
        .tokens
        .iter()
        .filter(|token| token.kind != Whitespace)
        .map(|token| (token.kind, token.text(sql)))
        .collect();
    assert_eq!(found, expected, "in {sql:?}");
}

/// The escapes of `E'...'` hold in its next line, and nowhere else.
#[test]
fn escapes_hold_where_a_string_goes_on() {
    for between in [" ", " -\n", " - \n", " /* x */\n", ", "] {
        let sql = format!(r"E'a'{between}'b\' c");
        let lexed = lex(&sql);
        let tokens = lexed.tokens.iter().filter(|it| it.kind != Whitespace);
        let last: Vec<_> = tokens.rev().take(2).map(|it| (it.kind, it.text(&sql))).collect();
        assert_eq!(last, [(Word, "c"), (Str, r"'b\'")], "{sql:?}");
    }
    for between in ["\n", " \r ", " -- x\n", "\n-- x\n -- y\n"] {
        let sql = format!(r"E'a'{between}'b\'c'");
        let lexed = lex(&sql);
        let last = lexed.tokens.last().map(|it| (it.kind, it.text(&sql)));
        assert_eq!(last, Some((Str, r"'b\'c'")), "{sql:?}");
    }
}

/// Each text is one token of this kind, and stays one when other SQL surrounds it.
#[track_caller]
fn check_each(kind: TokenKind, texts: &[&str]) {
    for text in texts {
        check(text, &[(kind, text)]);
        assert_eq!(lex(text).unterminated, None, "in {text:?}");
        check(&format!("a {text}\n;"), &[(Word, "a"), (kind, text), (Semicolon, ";")]);
    }
}

/// The text ends inside of something that was opened at the first `opened`.
#[track_caller]
fn check_open(sql: &str, kind: &UnterminatedKind, opened: &str) {
    let lexed = lex(sql);
    let unterminated = lexed.unterminated.expect("something is open");
    assert_eq!(&unterminated.kind, kind, "in {sql:?}");
    let start = sql.find(opened).expect("the opening is in the text");
    assert_eq!(unterminated.opened, Span::new(start, start + opened.len()), "in {sql:?}");
    let last = lexed.tokens.last().expect("there is a token");
    assert_eq!(last.span, Span::new(start, sql.len()), "in {sql:?}");
}

#[test]
fn words() {
    check_each(Word, &["a", "_", "select", "a$b$", "a$1", "ünïcode", "日本", "e1", "u", "b_"]);
    check("u&a", &[(Word, "u"), (Operator, "&"), (Word, "a")]);
    check(
        "a.b.\"c\"",
        &[(Word, "a"), (Dot, "."), (Word, "b"), (Dot, "."), (QuotedIdentifier, "\"c\"")],
    );
}

#[test]
fn numbers_and_parameters() {
    check_each(
        Number,
        &[
            "0",
            "12",
            "1.5",
            "1.",
            ".5",
            "1e5",
            "1E-5",
            "1.5e+10",
            "1.e5",
            "0x1F",
            "0b01",
            "0o17",
            "1_000",
            "1_000.5_5",
            "1e1_0",
            "12abc",
            "1.5abc",
            "1a$b$",
        ],
    );
    check_each(Parameter, &["$1", "$12", "$1a"]);
    // PostgreSQL 14 reads a string with escapes behind the number; later versions refuse the number.
    check(r"1E'\''", &[(Number, "1"), (Str, r"E'\''")]);
    check(r"$1e'\''", &[(Parameter, "$1"), (Str, r"e'\''")]);
    check("1..2", &[(Number, "1"), (Operator, ".."), (Number, "2")]);
    check("1.5.6", &[(Number, "1.5"), (Number, ".6")]);
    check("1e+", &[(Number, "1e"), (Operator, "+")]);
    check("a.5", &[(Word, "a"), (Number, ".5")]);
}

#[test]
fn strings_and_quoted_identifiers() {
    check_each(
        Str,
        &[
            "''",
            "'a'",
            "'it''s'",
            "'a;b'",
            "'\\'",
            "'--'",
            "'a\nb'",
            "'$$'",
            "'é'",
            "E'\\''",
            "e'a\\\\'",
            "E'\\''''",
            "E'''\\''",
            "E'\\é'",
            "E'é\\'é'",
            "U&'\\0061'",
            "u&'\\'",
            "N'a'",
            "n'\\'",
            "B'01'",
            "b'1'",
            "X'1F'",
            "x''",
        ],
    );
    check_each(
        QuotedIdentifier,
        &["\"a\"", "\"a\"\"b\"", "\"it's; $$\"", "U&\"d\\0061t\"", "u&\"\\\"", "\"é\"", "\"\\\""],
    );
    check("namee'\\'", &[(Word, "namee"), (Str, "'\\'")]);
    check("e 'a'", &[(Word, "e"), (Str, "'a'")]);
}

#[test]
fn a_string_continued_on_the_next_line_keeps_its_escapes() {
    check("E'a'\n'\\''", &[(Str, "E'a'"), (Str, "'\\''")]);
    check("E'a'\n''\n'\\''", &[(Str, "E'a'"), (Str, "''"), (Str, "'\\''")]);
    check(
        "E'a' -- why\r\n -- and how\n '\\'' '\\'",
        &[
            (Str, "E'a'"),
            (LineComment, "-- why"),
            (LineComment, "-- and how"),
            (Str, "'\\''"),
            (Str, "'\\'"),
        ],
    );
    // On the same line, and behind a block comment, a new string begins.
    check("E'a' '\\'", &[(Str, "E'a'"), (Str, "'\\'")]);
    check("E'a' /*\n*/ '\\'", &[(Str, "E'a'"), (BlockComment, "/*\n*/"), (Str, "'\\'")]);
    // A plain string has no escapes to keep.
    check("'a'\n'\\'", &[(Str, "'a'"), (Str, "'\\'")]);
}

#[test]
fn dollar_quotes() {
    check_each(
        DollarString,
        &[
            "$$$$",
            "$$a$$",
            "$a$b$a$",
            "$a$ $b$ $$ ' \" -- /* $a$",
            "$_1$x$_1$",
            "$é$x$é$",
            "$$\n;\n$$",
            "$a$$b$a$",
            "$a$x$ab$a$",
            "$a$$A$$a$",
        ],
    );
    check("$1$$2", &[(Parameter, "$1"), (DollarString, "$$2")]);
    check("a$$;$", &[(Word, "a$$"), (Semicolon, ";"), (Unknown, "$")]);
    check("$a b$", &[(Unknown, "$"), (Word, "a"), (Word, "b$")]);
    check("$a-$", &[(Unknown, "$"), (Word, "a"), (Operator, "-"), (Unknown, "$")]);
    check("1$$;$$", &[(Number, "1"), (DollarString, "$$;$$")]);
    check("$$a$$$$b$$", &[(DollarString, "$$a$$"), (DollarString, "$$b$$")]);
}

#[test]
fn comments() {
    check_each(LineComment, &["--", "-- a;b", "-- 'a", "---", "--+"]);
    check_each(
        BlockComment,
        &["/**/", "/* ; */", "/* ' */", "/* /* */ */", "/*/**/*/", "/***/", "/* -- */", "/*é*/"],
    );
    check("-- a\r\nb", &[(LineComment, "-- a"), (Word, "b")]);
    check("a/*/*/b", &[(Word, "a"), (BlockComment, "/*/*/b")]);
    check("a--b\n/c", &[(Word, "a"), (LineComment, "--b"), (Operator, "/"), (Word, "c")]);
}

#[test]
fn operators() {
    check_each(Operator, &["+", "=", "<>", "->>", "::", ":=", "..", "=>", "@-", "?-", "<->", "~*"]);
    check("=-1", &[(Operator, "="), (Operator, "-"), (Number, "1")]);
    check(
        "*+-+2",
        &[(Operator, "*"), (Operator, "+"), (Operator, "-"), (Operator, "+"), (Number, "2")],
    );
    check("+--+", &[(Operator, "+"), (LineComment, "--+")]);
    check("@-/**/-", &[(Operator, "@-"), (BlockComment, "/**/"), (Operator, "-")]);
    check("*/", &[(Operator, "*/")]);
    check(
        "a[1:2]::b,(c)",
        &[
            (Word, "a"),
            (OpenBracket, "["),
            (Number, "1"),
            (Colon, ":"),
            (Number, "2"),
            (CloseBracket, "]"),
            (Operator, "::"),
            (Word, "b"),
            (Comma, ","),
            (OpenParen, "("),
            (Word, "c"),
            (CloseParen, ")"),
        ],
    );
}

#[test]
fn what_is_no_sql() {
    check_each(Unknown, &["{", "}", "\0", "\u{1}", "$"]);
    check("\\restrict it's\nb", &[(PsqlCommand, "\\restrict it's"), (Word, "b")]);
    check("a \\gset\r\nb", &[(Word, "a"), (PsqlCommand, "\\gset"), (Word, "b")]);
    check("\\", &[(PsqlCommand, "\\")]);
}

#[test]
fn copy_data_is_not_sql() {
    let data = "\n1\tit's\n\\.";
    let copy = |head: &'static str| {
        let sql = format!("{head}{data}\nb");
        let found = lex(&sql).tokens.into_iter().rfind(|token| token.kind == CopyData);
        found.map(|token| token.text(&sql).to_owned())
    };
    for head in [
        "COPY t FROM STDIN;",
        "copy s.t (a, b) from stdin with (format csv);",
        "a; /* x */ COPY t FROM /* x */ stdout;",
        "COPY s FROM STDIN;\n\\.\nCOPY t FROM STDIN;",
    ] {
        assert_eq!(copy(head).as_deref(), Some(data), "in {head:?}");
    }
    for head in [
        "COPY t TO STDIN;",
        "COPY t FROM '/file';",
        "COPY t FROM '/file'; SELECT stdin;",
        "COPY t FROM PROGRAM 'cat';",
        "SELECT 'from' FROM stdin;",
        "COPY t FROM stdin",
        "COPY t;",
    ] {
        assert_eq!(copy(head), None, "in {head:?}");
    }
    // Without an end there is no data, and the rest is read as SQL.
    check(
        "COPY t FROM STDIN;\n1\\.\n",
        &[
            (Word, "COPY"),
            (Word, "t"),
            (Word, "FROM"),
            (Word, "STDIN"),
            (Semicolon, ";"),
            (Number, "1"),
            (PsqlCommand, "\\."),
        ],
    );
    check(
        "COPY t FROM STDIN;\r\n\\.\r\n1",
        &[
            (Word, "COPY"),
            (Word, "t"),
            (Word, "FROM"),
            (Word, "STDIN"),
            (Semicolon, ";"),
            (CopyData, "\r\n\\."),
            (Number, "1"),
        ],
    );
}

#[test]
fn whitespace_is_what_postgresql_takes_for_it() {
    assert_eq!(lex(" \t\r\n\u{b}\u{c}").tokens.len(), 1);
    // A no-break space is part of a word to PostgreSQL, and so is a byte order mark.
    check("a\u{a0}b", &[(Word, "a\u{a0}b")]);
    check("\u{feff}a", &[(Word, "\u{feff}a")]);
    check("", &[]);
}

#[test]
fn what_is_open_at_the_end_is_named() {
    for sql in ["a 'b;", "a 'b''", "a 'b\\'' c"] {
        check_open(sql, &UnterminatedKind::String, "'");
    }
    check_open("a E'b\\", &UnterminatedKind::String, "E'");
    check_open("a E'b\\'", &UnterminatedKind::String, "E'");
    check_open("a E'b\\é", &UnterminatedKind::String, "E'");
    check_open("a U&'b", &UnterminatedKind::String, "U&'");
    check_open("a x'b", &UnterminatedKind::String, "x'");
    check_open("a \"b'", &UnterminatedKind::QuotedIdentifier, "\"");
    check_open("a U&\"b", &UnterminatedKind::QuotedIdentifier, "U&\"");
    let dollar = |tag: &str| UnterminatedKind::DollarString { tag: tag.to_owned() };
    check_open("a $$ b; $", &dollar("$$"), "$$");
    check_open("a $é$ b $e$", &dollar("$é$"), "$é$");
    check_open("a /* b; --", &UnterminatedKind::BlockComment { nested: None }, "/*");
    let nested = Some(Span::new(7, 9));
    check_open("a /* b /* c */", &UnterminatedKind::BlockComment { nested: None }, "/*");
    check_open("a /* b /* c", &UnterminatedKind::BlockComment { nested }, "/*");
}

#[test]
fn same_code_ignores_layout_and_comments_only() {
    let yes = [
        ("select 1", "select\n  1 -- one"),
        ("a=-1", "a = - 1"),
        ("select/**/a", "select a"),
        ("", "-- nothing\n"),
        ("E'a'\n'\\''", "E'a'\n\n  '\\''"),
    ];
    let no = [
        ("select 1", "SELECT 1"),
        ("select 1", "select 1;"),
        ("select 'a b'", "select 'a  b'"),
        ("ab", "a b"),
        ("$$ -- a\n$$", "$$ -- b\n$$"),
        ("e'a'", "e 'a'"),
        ("a @- b", "a @ - b"),
        ("select", "\"select\""),
    ];
    for (a, b) in yes {
        assert!(same_code(a, b) && same_code(b, a), "{a:?} {b:?}");
    }
    for (a, b) in no {
        assert!(!same_code(a, b) && !same_code(b, a), "{a:?} {b:?}");
    }
}
