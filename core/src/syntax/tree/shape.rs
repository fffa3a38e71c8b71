//! Nodes and tokens that the parser takes in places where PostgreSQL has none of them.
//!
//! Most are what other databases write, and what comes to mind first: `int(11)`, an index on
//! `a || b`, a join without a condition. So each comes with what to write instead.

use squawk_parser::SyntaxKind::{self, *};

use super::{Node, Tree, is_type};
use crate::syntax::parse::What;

/// What an index, a partition key or a conflict is about.
const IN_PARENTHESES: &str = "put parentheses around the expression: `((...))`";

/// How far out of an expression is looked; each token of `a || b || c ...` is deeper than the last.
const FAR_NODES: usize = 64;

impl Tree<'_> {
    /// What is wrong with a node that begins, in the node that is open.
    pub(super) fn misplaced_node(&self, kind: SyntaxKind) -> Option<What> {
        let node = self.open.last()?;
        let advice = match (node.kind, kind) {
            (
                CREATE_TRIGGER,
                DEFERRABLE_CONSTRAINT_OPTION
                | FROM_TABLE
                | INITIALLY_DEFERRED_CONSTRAINT_OPTION
                | INITIALLY_IMMEDIATE_CONSTRAINT_OPTION
                | NOT_DEFERRABLE_CONSTRAINT_OPTION,
            ) if !node.marked => {
                "only a constraint trigger can be deferred: `CREATE CONSTRAINT TRIGGER`"
            }
            (
                CREATE_TRIGGER,
                FOR_EACH_STATEMENT | REFERENCING | TIMING_BEFORE | TIMING_INSTEAD_OF,
            ) if node.marked => {
                "a constraint trigger is `AFTER ... FOR EACH ROW` and has no `REFERENCING`"
            }
            (ALTER_TABLE, kind) if stands_alone(kind) && node.children > 2 => ALONE,
            (JOIN, JOIN_USING_CLAUSE | ON_CLAUSE) if node.marked => {
                "a natural join has no condition"
            }
            (PARAM, PARAM_DEFAULT)
                if !matches!(self.kind(2), CREATE_FUNCTION | CREATE_PROCEDURE) =>
            {
                "only the types tell functions apart: leave the default out"
            }
            (COLUMN, kind) if is_type(kind) && self.has_types_from_elsewhere() => {
                "this table takes the types of its columns from elsewhere: leave the type out"
            }
            _ => return None,
        };
        Some(What::Misplaced(advice))
    }

    /// Whether the columns of the table around a column have no types of their own.
    fn has_types_from_elsewhere(&self) -> bool {
        let table = self.open.len().checked_sub(3).map(|index| &self.open[index]);
        self.kind(1) == TABLE_ARG_LIST
            && table.is_some_and(|it| match it.kind {
                CREATE_TABLE | CREATE_FOREIGN_TABLE => it.typed,
                kind => kind == CREATE_TABLE_AS,
            })
    }

    /// What is wrong with a token in the node that is open.
    pub(super) fn misplaced_token(&self, kind: SyntaxKind, at: usize, text: &str) -> Option<What> {
        let node = self.open.last()?;
        let advice = match (node.kind, kind) {
            (ALTER_TABLE, COMMA) if node.marked => ALONE,
            (GRANT | REVOKE, FROM_KW | TO_KW)
                if matches!(self.previous, GRANT_KW | REVOKE_KW | FOR_KW) =>
            {
                "say what: a privilege or a role"
            }
            (GRANT_ROLE_OPTION_NAME, kind) if kind != GRANT_KW && self.grants_privileges() => {
                "write `WITH GRANT OPTION`"
            }
            (AS_POLICY_TYPE, kind) if kind != AS_KW && !is_policy_type(text) => {
                "write `PERMISSIVE` or `RESTRICTIVE`"
            }
            (NOT_VALID, VALID_KW) if is_column(self.kind(2)) => {
                "only a constraint of the table can be `NOT VALID`: `ADD CONSTRAINT ... CHECK (...) NOT VALID`"
            }
            (GENERATED_STORED, L_PAREN) if self.before_previous == DEFAULT_KW => {
                "write `GENERATED ALWAYS AS (...) STORED`"
            }
            (INDEX_EXPR, L_BRACK) | (FIELD_EXPR, DOT) if self.is_behind_value() => {
                "put parentheses around what stands in front of it"
            }
            _ if self.is_in_type(kind, at) => {
                "leave the number out, or choose another type: `text`, `numeric`"
            }
            _ if self.is_bare(kind) => match self.around_expression() {
                _ if kind == DOT => "name the column without its table",
                DEFAULT_CONSTRAINT => {
                    "write a value behind `DEFAULT`, with parentheses around it if it is an expression"
                }
                _ => IN_PARENTHESES,
            },
            _ => return None,
        };
        Some(What::Misplaced(advice))
    }

    /// What a node that ends is short of.
    pub(super) fn lacks(node: &Node) -> Option<What> {
        let advice = match node.kind {
            JOIN if !node.marked => "a join needs a condition: `ON ...` or `USING (...)`",
            CREATE_TABLE if !node.marked => "a table needs parentheses, even without columns",
            ALTER_TABLE | ALTER_FOREIGN_TABLE | ALTER_FUNCTION | ALTER_PROCEDURE
                if node.children == 1 && !node.marked =>
            {
                "say what to change"
            }
            SET_COLUMN_LIST if node.children == 0 => "say what to set",
            DISCARD if node.tokens == 1 && node.children == 0 => {
                "say what: `ALL`, `PLANS`, `SEQUENCES` or `TEMP`"
            }
            _ => return None,
        };
        Some(What::Misplaced(advice))
    }

    /// Whether the option that is named belongs to privileges, and not to a role.
    fn grants_privileges(&self) -> bool {
        let grant = self.open.len().checked_sub(5).map(|index| &self.open[index]);
        grant.is_some_and(|it| it.kind == GRANT_DEFAULT_PRIVILEGES || it.kind == GRANT && it.marked)
    }

    /// Whether the value that has just ended cannot be followed by `[` or a dot.
    fn is_behind_value(&self) -> bool {
        match self.closed {
            LITERAL => self.previous != POSITIONAL_PARAM,
            kind => matches!(kind, ARRAY_EXPR | CALL_EXPR | CASE_EXPR | TUPLE_EXPR),
        }
    }

    /// Whether a token is in parentheses or brackets of a type that has none, or no such ones.
    fn is_in_type(&self, kind: SyntaxKind, at: usize) -> bool {
        let (node, parent) = (self.kind(0), self.kind(1));
        if !matches!(node, ARG_LIST | ARRAY_BOUND) && !matches!(parent, ARG | ARRAY_BOUND) {
            return false;
        }
        let number = kind == INT_NUMBER;
        match (node, parent, self.kind(2), self.kind(3)) {
            (ARG_LIST, PATH_TYPE, ..) => match kind {
                L_PAREN => {
                    let has_none = matches!(
                        self.previous,
                        BIGINT_KW | BOOLEAN_KW | INT_KW | INTEGER_KW | REAL_KW | SMALLINT_KW
                    );
                    has_none && self.before_previous != DOT
                }
                // FLOAT takes one number.
                COMMA => self.sql[..at].rsplit('(').nth(1).is_some_and(|before| {
                    let parts = |it: char| !it.is_alphanumeric() && !"_$.\"".contains(it);
                    let name = before.trim_end().rsplit(parts).next();
                    name.is_some_and(|name| name.eq_ignore_ascii_case("float"))
                }),
                _ => false,
            },
            (ARG_LIST, CHARACTER_TYPE | VARCHAR_TYPE, ..) => kind == COMMA,
            (_, ARG, ARG_LIST, CHARACTER_TYPE | VARCHAR_TYPE) | (_, ARRAY_BOUND, ..) => !number,
            (ARRAY_BOUND, ..) => {
                let is_empty = kind == R_BRACK && self.previous == L_BRACK;
                is_empty && self.before_previous == ARRAY_KW
            }
            _ => false,
        }
    }

    /// Whether a token is part of an expression that is written without the parentheses it needs.
    fn is_bare(&self, kind: SyntaxKind) -> bool {
        let node = self.kind(0);
        if !is_expression(node) && (!encloses(node) || node == CAST_EXPR) {
            return false;
        }
        match self.around_expression() {
            PARTITION_ITEM | CONFLICT_INDEX_ITEM | CONSTRAINT_EXCLUSION | STATISTICS_ON_CLAUSE => {
                true
            }
            // Of what has no parentheses, the grammar takes only operators there.
            DEFAULT_CONSTRAINT => match kind {
                NOT_KW => !matches!(self.kind(0), IS_NOT | IS_NOT_DISTINCT_FROM),
                NULL_KW | TRUE_KW | FALSE_KW | UNKNOWN_KW => {
                    self.previous == IS_KW
                        || self.previous == NOT_KW && self.before_previous == IS_KW
                }
                kind => matches!(
                    kind,
                    AND_KW
                        | AT_KW
                        | BETWEEN_KW
                        | ILIKE_KW
                        | IN_KW
                        | ISNULL_KW
                        | LIKE_KW
                        | NOTNULL_KW
                        | OR_KW
                        | OVERLAPS_KW
                        | SIMILAR_KW
                ),
            },
            _ => false,
        }
    }

    /// The node around the expression that a token is directly part of.
    fn around_expression(&self) -> SyntaxKind {
        let nodes = self.open.iter().rev().take(FAR_NODES);
        let mut nodes = nodes.skip_while(|node| {
            // `a::text` goes on, and what is within `CAST(a AS text)` is enclosed by it.
            is_expression(node.kind) || encloses(node.kind) && node.tokens == 0
        });
        nodes.next().map_or(EOF, |node| node.kind)
    }
}

/// See [`stands_alone`].
const ALONE: &str = "`RENAME`, `SET SCHEMA`, `ATTACH PARTITION` and `DETACH PARTITION` stand alone: write a statement for each";

/// Changes of a table that cannot be in one list with others.
pub(super) fn stands_alone(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        ATTACH_PARTITION
            | DETACH_PARTITION
            | RENAME_COLUMN
            | RENAME_CONSTRAINT
            | SET_SCHEMA
            | TABLE_RENAME_TO
    )
}

/// Whether a node in another decides what may follow there.
pub(super) fn marks(parent: SyntaxKind, kind: SyntaxKind) -> bool {
    match parent {
        ALTER_TABLE => stands_alone(kind) || kind == ALL_IN_TABLESPACE,
        CREATE_TABLE => matches!(kind, OF_TYPE | PARTITION_OF | TABLE_ARG_LIST),
        GRANT => kind == ON_PRIVILEGE_OBJECTS_CLAUSE,
        JOIN => matches!(kind, JOIN_CROSS | JOIN_USING_CLAUSE | ON_CLAUSE),
        _ => false,
    }
}

/// Whether a token does.
pub(super) fn token_marks(parent: SyntaxKind, kind: SyntaxKind) -> bool {
    matches!((parent, kind), (CREATE_TRIGGER, CONSTRAINT_KW) | (JOIN, NATURAL_KW))
}

fn is_column(kind: SyntaxKind) -> bool {
    matches!(kind, ADD_COLUMN | COLUMN | CREATE_DOMAIN)
}

fn is_policy_type(text: &str) -> bool {
    ["permissive", "restrictive"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word) || text.trim_matches('"') == *word)
}

/// Nodes of an expression whose tokens are open to what stands around it.
fn is_expression(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        AT_TIME_ZONE
            | BETWEEN_EXPR
            | BIN_EXPR
            | COLON_COLON
            | CUSTOM_OP
            | FIELD_EXPR
            | IS_DISTINCT_FROM
            | IS_NOT
            | IS_NOT_DISTINCT_FROM
            | LITERAL
            | NOT_ILIKE
            | NOT_IN
            | NOT_LIKE
            | NOT_SIMILAR_TO
            | POSTFIX_EXPR
            | PREFIX_EXPR
            | SIMILAR_TO
    )
}

/// Nodes of an expression with words, parentheses or brackets around what is in them.
fn encloses(kind: SyntaxKind) -> bool {
    matches!(kind, ARRAY_EXPR | CASE_EXPR | CAST_EXPR | INDEX_EXPR | TUPLE_EXPR)
}
