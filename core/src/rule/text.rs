//! What is to be known about the rules over quotes, comments, parentheses and grammar.

use super::Explanation;

pub(super) const UNTERMINATED_STRING: Explanation = Explanation {
    why: "Everything behind an open quote is part of the string, so the statements there would never run as statements.",
    example: &[("0001_users.sql", "INSERT INTO users (name) VALUES ('Zoë);\n")],
    instead: "Close it with `'`.\nA quote inside of a string is written twice: `'it''s'`.",
    mended: &[("0001_users.sql", "INSERT INTO users (name) VALUES ('Zoë');\n")],
};

pub(super) const UNTERMINATED_IDENTIFIER: Explanation = Explanation {
    why: "Everything behind an open double quote is part of the name.",
    example: &[("0001_users.sql", "CREATE TABLE \"User (id bigint);\n")],
    instead: "Close it with `\"`.",
    mended: &[("0001_users.sql", "CREATE TABLE \"User\" (id bigint);\n")],
};

pub(super) const UNTERMINATED_DOLLAR_QUOTE: Explanation = Explanation {
    why: "A body that begins with `$tag$` ends only where the same tag comes again, in the same case, and everything up to there belongs to it.",
    example: &[(
        "0001_touch.sql",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$\nBEGIN RETURN NEW; END\n$Body$;\n",
    )],
    instead: "End it with the tag it began with.",
    mended: &[(
        "0001_touch.sql",
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$\nBEGIN RETURN NEW; END\n$body$;\n",
    )],
};

pub(super) const UNTERMINATED_COMMENT: Explanation = Explanation {
    why: "Everything behind an open `/*` is comment and never runs.\n\
        PostgreSQL's comments nest, other than those of most languages: a `/*` inside of a comment needs a `*/` of its own.",
    example: &[("0001_users.sql", "/* users /* and teams */\nCREATE TABLE users (id bigint);\n")],
    instead: "Close each `/*` with its own `*/`.",
    mended: &[("0001_users.sql", "/* users and teams */\nCREATE TABLE users (id bigint);\n")],
};

pub(super) const UNBALANCED_PARENTHESIS: Explanation = Explanation {
    why: "A `;` inside parentheses ends no statement, so with an open one the rest of the file belongs to one statement.",
    example: &[("0001_users.sql", "CREATE TABLE users (id bigint;\n")],
    instead: "Close what is open, or remove what closes nothing.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};

pub(super) const SYNTAX: Explanation = Explanation {
    why: "The server would refuse the statement, and the start of the application with it.\n\
        The grammar is that of PostgreSQL 14 to 18 together, as nobody knows at build time which server it will be.\n\
        What is quoted is not looked into, so not the bodies of functions in PL/pgSQL; whether tables and columns exist, only the server knows.",
    example: &[("0001_users.sql", "CREATE TABEL users (id bigint);\n")],
    instead: "Write what the message proposes, or look the command up in PostgreSQL's manual.\n\
        If PostgreSQL accepts a statement that is refused here, put the line `-- dunlin: syntax off` directly above it.\n\
        At the top of a file, above its first statement, the line is for the whole file; `syntax = false` in the macro is for the folder, and without the default feature `syntax` of the crate `dunlin` the parser is not even built.\n\
        What is not checked is still cut into statements and judged by all other rules.",
    mended: &[("0001_users.sql", "CREATE TABLE users (id bigint);\n")],
};
