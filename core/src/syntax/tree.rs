//! What the parser takes and PostgreSQL does not.
//!
//! The parser is made for an editor, where half a statement is worth a tree. So what it lets pass is
//! looked at again while its tree goes by: each check here was written because the server, asked in
//! `tests/it/syntax_oracle.rs`, refused what the parser had taken. What is still taken wrongly is
//! counted in DESIGN.md.

mod shape;

use squawk_parser::SyntaxKind::{self, *};

use super::names::{self, Verdict};
use super::parse::{Fault, What};

/// The tree of one statement, going by.
pub(super) struct Tree<'a> {
    sql: &'a str,
    /// How much of the statement has gone by.
    at: usize,
    open: Vec<Node>,
    fault: Option<Fault>,
    /// The first node or token out of its place, which counts only in a tree without faults: with one,
    /// the parser guesses what the nodes are.
    misplaced: Option<Fault>,
    /// A fault whose place is the next token.
    pending: Option<What>,
    /// The last word, if the token behind it makes it right or wrong.
    waiting: Option<(usize, Verdict)>,
    wanted: Wanted,
    previous: SyntaxKind,
    previous_end: usize,
    before_previous: SyntaxKind,
    /// The node that ended last, if no token is behind it.
    closed: SyntaxKind,
    /// Whether `/* ... */` stands behind the previous token.
    behind_block_comment: bool,
}

/// What must come next.
#[derive(Default)]
enum Wanted {
    #[default]
    Anything,
    /// Behind IS.
    Truth,
    /// Behind IN.
    List,
    /// Behind the parenthesis of `CURRENT_TIME (`.
    Something,
}

/// A node that is not closed yet.
struct Node {
    kind: SyntaxKind,
    tokens: u32,
    /// Children that are more than `IF EXISTS` or `CASCADE`.
    children: u32,
    /// A column with a type, or a table whose columns have theirs from elsewhere.
    typed: bool,
    /// The name of a column is complete.
    named: bool,
    /// What stands behind the name of a column.
    behind_name: Option<usize>,
    /// The operator of the expression is a comparison.
    compares: bool,
    /// That of an expression directly within it is one.
    has_comparison: bool,
    /// It has what decides about the rest; see [`shape::marks`].
    marked: bool,
}

impl<'a> Tree<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self {
            sql,
            at: 0,
            open: Vec::with_capacity(32),
            fault: None,
            misplaced: None,
            pending: None,
            waiting: None,
            wanted: Wanted::Anything,
            previous: EOF,
            previous_end: 0,
            before_previous: EOF,
            closed: EOF,
            behind_block_comment: false,
        }
    }

    /// The first fault of the whole tree.
    pub(super) fn into_fault(mut self) -> Option<Fault> {
        if let Some(what) = self.pending.take() {
            self.found(self.sql.len(), what);
        }
        if let Some((at, Verdict::OnlyCalled)) = self.waiting {
            self.found(at, What::Reserved);
        }
        self.fault.or(self.misplaced)
    }

    fn found(&mut self, at: usize, what: What) {
        let first = match what {
            What::Misplaced(_) => &mut self.misplaced,
            _ => &mut self.fault,
        };
        if first.as_ref().is_none_or(|fault| at < fault.at) {
            *first = Some(Fault { at, what });
        }
    }

    /// A fault at the next token.
    fn next_is_wrong(&mut self, what: What) {
        if matches!(self.pending, None | Some(What::Misplaced(_))) {
            self.pending = Some(what);
        }
    }

    /// A complaint of the parser's lexer.
    pub(super) fn lexical(&mut self, at: usize, words: &str) {
        // Any digits belong to the grammar; the value is looked at later.
        if !words.contains("is not a valid") {
            self.found(at, What::Unexpected(words.to_owned()));
        }
    }

    /// A complaint of the parser, about the next token.
    pub(super) fn error(&mut self, words: &str) {
        self.next_is_wrong(What::Unexpected(words.to_owned()));
    }

    /// The kind of a node around this place, the innermost being 0.
    fn kind(&self, depth: usize) -> SyntaxKind {
        self.open.len().checked_sub(depth + 1).map_or(EOF, |index| self.open[index].kind)
    }

    pub(super) fn enter(&mut self, kind: SyntaxKind) {
        if let Some(parent) = self.open.last_mut()
            && !matches!(kind, IF_EXISTS | CASCADE | RESTRICT)
        {
            parent.children += 1;
        }
        if let Some(what) = self.misplaced_node(kind) {
            self.next_is_wrong(what);
        }
        if let Some(parent) = self.open.last_mut() {
            parent.marked |= shape::marks(parent.kind, kind);
            let first = parent.children == 1;
            match parent.kind {
                SOURCE_FILE if !first => self.next_is_wrong(What::SecondStatement),
                SELECT if first && kind == FROM_CLAUSE => self.next_is_wrong(What::FromFirst),
                COLUMN | COMPOSITE_FIELD_DEF => parent.typed |= is_type(kind),
                CREATE_TABLE | CREATE_FOREIGN_TABLE => {
                    parent.typed |= matches!(kind, OF_TYPE | PARTITION_OF);
                }
                _ => {}
            }
        }
        if kind == NON_STANDARD_PARAM {
            self.next_is_wrong(What::PsqlVariable);
        }
        self.open.push(Node {
            kind,
            tokens: 0,
            children: 0,
            typed: false,
            named: false,
            behind_name: None,
            compares: false,
            has_comparison: false,
            marked: false,
        });
    }

    pub(super) fn exit(&mut self) {
        let Some(node) = self.open.pop() else { return };
        self.closed = node.kind;
        if let Some(what) = Self::lacks(&node) {
            self.next_is_wrong(what);
        }
        match node.kind {
            COLUMN_NAME | COMPOSITE_FIELD => {
                if let Some(parent) = self.open.last_mut() {
                    parent.named = true;
                }
            }
            COLUMN | COMPOSITE_FIELD_DEF if !node.typed && self.wants_type(node.kind) => {
                match node.behind_name {
                    Some(at) => self.found(at, What::NoType),
                    None => self.next_is_wrong(What::NoType),
                }
            }
            FROM_ALIAS if self.previous == AS_KW => {
                self.next_is_wrong(What::Unexpected("expected a name".to_owned()));
            }
            IS_NOT => self.wanted = Wanted::Truth,
            NOT_IN => self.wanted = Wanted::List,
            BIN_EXPR if node.compares => {
                if let Some(parent) = self.open.last_mut().filter(|it| it.kind == BIN_EXPR) {
                    parent.has_comparison = true;
                }
            }
            kind if node.children == 0 && is_drop(kind) => {
                self.next_is_wrong(What::Unexpected("expected a name".to_owned()));
            }
            _ => {}
        }
    }

    /// `CREATE TABLE t (a)` is short of a type; `CREATE TABLE t (a) AS ...` and `OF` are not.
    fn wants_type(&self, kind: SyntaxKind) -> bool {
        kind == COMPOSITE_FIELD_DEF
            || self.kind(0) == TABLE_ARG_LIST
                && matches!(self.kind(1), CREATE_TABLE | CREATE_FOREIGN_TABLE)
                && !self.open[self.open.len() - 2].typed
    }

    pub(super) fn token(&mut self, kind: SyntaxKind, text: &str) {
        let at = self.at;
        self.at += text.len();
        if matches!(kind, WHITESPACE | COMMENT) {
            self.behind_block_comment |= text.starts_with("/*");
            return;
        }
        if let Some(what) = self.pending.take() {
            self.found(at, what);
        }
        let called = kind == L_PAREN;
        match self.waiting.take() {
            Some((word, Verdict::OnlyCalled)) if !called => self.found(word, What::Reserved),
            Some((word, Verdict::NotCalled)) if called => self.found(word, What::Reserved),
            Some((_, Verdict::NotEmpty)) if called => self.wanted = Wanted::Something,
            _ => {}
        }
        if let Some(what) = self.judge(kind, at, text) {
            self.found(at, what);
        }
        self.count(at);
        if let Some(node) = self.open.last_mut() {
            node.marked |= shape::token_marks(node.kind, kind);
        }
        self.before_previous = self.previous;
        self.closed = EOF;
        self.previous = kind;
        self.previous_end = self.at;
        self.behind_block_comment = false;
    }

    /// What is wrong with a token where it stands.
    fn judge(&mut self, kind: SyntaxKind, at: usize, text: &str) -> Option<What> {
        let unexpected = |words: &str| Some(What::Unexpected(words.to_owned()));
        let (parent, grandparent) = (self.kind(0), self.kind(1));
        let tokens = self.open.last().map_or(0, |node| node.tokens);
        match std::mem::take(&mut self.wanted) {
            Wanted::Anything => {}
            Wanted::Truth => {
                if !matches!(kind, NULL_KW | TRUE_KW | FALSE_KW | UNKNOWN_KW | DOCUMENT_KW) {
                    return unexpected("expected NULL, TRUE, FALSE or UNKNOWN");
                }
            }
            Wanted::Something if kind == L_PAREN => self.wanted = Wanted::Something,
            Wanted::Something => {
                if kind == R_PAREN {
                    return unexpected("expected a number");
                }
            }
            Wanted::List => {
                if kind != L_PAREN {
                    return unexpected("expected L_PAREN");
                }
            }
        }
        if let Some(what) = self.misplaced_token(kind, at, text) {
            return Some(what);
        }
        match kind {
            _ if self.is_wrong_for_trigger(kind) => unexpected("expected COMMA or R_PAREN"),
            _ if self.is_reserved_role(text) => Some(What::ReservedRole),
            _ if is_string(kind) && is_string(self.previous) && parent == LITERAL => {
                let one_line = !self.sql[self.previous_end..at].contains('\n');
                (one_line || self.behind_block_comment).then_some(What::SecondString)
            }
            L_BRACK if parent == ARRAY_EXPR && tokens == 0 && grandparent != ARRAY_EXPR => {
                Some(What::BareArray)
            }
            R_BRACK if parent == INDEX_EXPR && self.previous == L_BRACK => {
                unexpected("expected an index")
            }
            _ if tokens == 0 && parent == CUSTOM_OP && grandparent == PREFIX_EXPR => {
                is_infix(&self.sql[at..]).then_some(What::NoLeftSide)
            }
            EQ | L_ANGLE | R_ANGLE | LTEQ | GTEQ | NEQ | NEQB if parent == BIN_EXPR => {
                self.compare().then_some(What::ComparedTwice)
            }
            IDENT if parent == ROLE_OPTION_GENERIC && !is_role_option(text) => {
                unexpected("expected a role option")
            }
            IS_KW | IN_KW if parent == BIN_EXPR => {
                self.wanted = if kind == IS_KW { Wanted::Truth } else { Wanted::List };
                None
            }
            _ if self.previous == DOT => None,
            _ => match names::judge(kind, |depth| self.kind(depth)) {
                Verdict::Fine => None,
                Verdict::Wrong => Some(What::Reserved),
                verdict => {
                    self.waiting = Some((at, verdict));
                    None
                }
            },
        }
    }

    /// Whether a token is more than one word, number or text among those handed to a trigger's function.
    fn is_wrong_for_trigger(&self, kind: SyntaxKind) -> bool {
        let place = [CREATE_TRIGGER, CALL_EXPR, ARG_LIST];
        let is_argument = self.open.iter().skip(1).map(|node| node.kind).take(3).eq(place);
        let is_sign = matches!(kind, L_PAREN | R_PAREN | COMMA);
        // A text may go on: `'a' UESCAPE '!'`, and `'a'` on the next line.
        let begins =
            matches!(self.previous, L_PAREN | COMMA | UESCAPE_KW) || is_string(self.previous);
        let is_foreign =
            matches!(kind, BIT_STRING | BYTE_STRING | NATIONAL_STRING | POSITIONAL_PARAM | STAR);
        let is_wrong = !is_sign && !begins || kind == L_PAREN && self.open.len() > 4;
        is_argument && (is_wrong || is_foreign)
    }

    /// Whether a token names a role and is a name that no role has.
    fn is_reserved_role(&self, text: &str) -> bool {
        let is = |name: &str| {
            text.eq_ignore_ascii_case(name)
                || text.strip_prefix('"').and_then(|it| it.strip_suffix('"')) == Some(name)
        };
        match (self.kind(0), self.kind(1), self.kind(2)) {
            // Here the grammar takes any name.
            (ROLE_NAME_REF, _, DATABASE_OPTION_OWNER | OBJECT_ROLE | REVOKE_COMMAND) => false,
            (ROLE_NAME_REF, _, SET_ROLE | SET_SESSION_AUTH) => false,
            (ROLE_NAME_REF, ..) | (ROLE, AUTHORIZATION_SCHEMA, _) => is("none"),
            (ROLE, ..) => is("none") || is("public"),
            _ => false,
        }
    }

    /// Notes a comparison; true when the expression, without parentheses, has one already.
    fn compare(&mut self) -> bool {
        let outer = self.open.len().checked_sub(2).map(|index| &self.open[index]);
        let outer = outer.is_some_and(|node| node.kind == BIN_EXPR && node.compares);
        let Some(node) = self.open.last_mut() else { return false };
        node.compares = true;
        node.has_comparison || outer
    }

    /// Counts a token in the node it belongs to, and in the column that it is in.
    fn count(&mut self, at: usize) {
        if let Some(node) = self.open.last_mut() {
            node.tokens += 1;
        }
        let column = self
            .open
            .iter_mut()
            .rev()
            .find(|node| matches!(node.kind, COLUMN | COMPOSITE_FIELD_DEF));
        if let Some(column) = column.filter(|column| column.named && column.behind_name.is_none()) {
            column.behind_name = Some(at);
        }
    }
}

fn is_string(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        BIT_STRING | BYTE_STRING | ESC_STRING | NATIONAL_STRING | STRING | UNICODE_ESC_STRING
    )
}

/// Whether a text begins with an operator that stands only between two operands.
fn is_infix(text: &str) -> bool {
    let end = text.find(|sign| !"~!@#^&|`?+-*/%<>=".contains(sign)).unwrap_or(text.len());
    matches!(
        &text[..end],
        "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" | "=>" | "*" | "/" | "%" | "^"
    )
}

fn is_type(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        ARRAY_TYPE
            | BIT_TYPE
            | BIT_VARYING_TYPE
            | CHARACTER_TYPE
            | DOUBLE_TYPE
            | INTERVAL_TYPE
            | PATH_TYPE
            | PERCENT_TYPE
            | TIME_TYPE
            | TIMESTAMP_TYPE
            | VARCHAR_TYPE
    )
}

/// The options of a role that are no keywords.
fn is_role_option(text: &str) -> bool {
    let text = text.trim_matches('"').to_ascii_lowercase();
    let positive = text.strip_prefix("no").unwrap_or(&text);
    ["bypassrls", "createdb", "createrole", "inherit", "login", "replication", "superuser"]
        .contains(&positive)
}

/// Commands that drop things, and so name at least one.
fn is_drop(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        DROP_ACCESS_METHOD
            | DROP_AGGREGATE
            | DROP_COLLATION
            | DROP_CONVERSION
            | DROP_DATABASE
            | DROP_DOMAIN
            | DROP_EVENT_TRIGGER
            | DROP_EXTENSION
            | DROP_FOREIGN_DATA_WRAPPER
            | DROP_FOREIGN_TABLE
            | DROP_FUNCTION
            | DROP_GROUP
            | DROP_INDEX
            | DROP_LANGUAGE
            | DROP_MATERIALIZED_VIEW
            | DROP_OPERATOR
            | DROP_OPERATOR_CLASS
            | DROP_OPERATOR_FAMILY
            | DROP_POLICY
            | DROP_PROCEDURE
            | DROP_PUBLICATION
            | DROP_ROLE
            | DROP_ROUTINE
            | DROP_RULE
            | DROP_SCHEMA
            | DROP_SEQUENCE
            | DROP_SERVER
            | DROP_STATISTICS
            | DROP_SUBSCRIPTION
            | DROP_TABLE
            | DROP_TABLESPACE
            | DROP_TEXT_SEARCH_CONFIG
            | DROP_TEXT_SEARCH_DICT
            | DROP_TEXT_SEARCH_PARSER
            | DROP_TEXT_SEARCH_TEMPLATE
            | DROP_TRIGGER
            | DROP_TYPE
            | DROP_USER
            | DROP_VIEW
    )
}
