//! PostgreSQL's keywords and what they may name.
//!
//! The words of `pg_get_keywords()` of versions 14 to 18 together; `tests/it/syntax_oracle.rs` compares
//! them with the server's. See the manual, appendix C. Needed apart from the parser's own list
//! because the parser does not give its words away.

/// What a word is to PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// A keyword that may name anything.
    Unreserved,
    /// A keyword that may name anything but functions and types.
    ColumnName,
    /// A keyword that may name only functions and types.
    FunctionName,
    /// A keyword that names nothing, unless it is quoted.
    Reserved,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Unreserved, Self::ColumnName, Self::FunctionName, Self::Reserved];

    /// What a word is; nothing if it is no keyword. In any case, without quotes.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        Self::ALL.into_iter().find(|category| category.words().any(|it| it == word))
    }

    /// The keywords of the category, in lower case.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let words = match self {
            Self::Unreserved => UNRESERVED,
            Self::ColumnName => COLUMN_NAME,
            Self::FunctionName => FUNCTION_NAME,
            Self::Reserved => RESERVED,
        };
        words.split(' ')
    }
}

/// Whether a word, no mere name any more, was one in PostgreSQL 14.
pub(super) fn is_young(word: &str) -> bool {
    YOUNG.split(' ').any(|young| word.eq_ignore_ascii_case(young))
}

const YOUNG: &str = "\
    json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar \
    json_serialize json_table json_value merge_action system_user";

const RESERVED: &str = "\
    all analyse analyze and any array as asc asymmetric both case cast check collate column \
    constraint create current_catalog current_date current_role current_time current_timestamp \
    current_user default deferrable desc distinct do else end except false fetch for foreign \
    from grant group having in initially intersect into lateral leading limit localtime \
    localtimestamp not null offset on only or order placing primary references returning \
    select session_user some symmetric table then to trailing true union unique user using \
    variadic when where window with";

const FUNCTION_NAME: &str = "\
    authorization binary collation concurrently cross current_schema freeze full ilike inner \
    is isnull join left like natural notnull outer overlaps right similar tablesample verbose";

// `system_user` is reserved since 16; before, it was no keyword at all.
const COLUMN_NAME: &str = "\
    between bigint bit boolean char character coalesce dec decimal exists extract float \
    greatest grouping inout int integer interval json json_array json_arrayagg json_exists \
    json_object json_objectagg json_query json_scalar json_serialize json_table json_value \
    least merge_action national nchar none normalize nullif numeric out overlay position \
    precision real row setof smallint substring system_user time timestamp treat trim values \
    varchar xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse \
    xmlpi xmlroot xmlserialize xmltable";

const UNRESERVED: &str = "\
    abort absent absolute access action add admin after aggregate also alter always asensitive \
    assertion assignment at atomic attach attribute backward before begin breadth by cache \
    call called cascade cascaded catalog chain characteristics checkpoint class close cluster \
    columns comment comments commit committed compression conditional configuration conflict \
    connection constraints content continue conversion copy cost csv cube current cursor cycle \
    data database day deallocate declare defaults deferred definer delete delimiter delimiters \
    depends depth detach dictionary disable discard document domain double drop each empty \
    enable encoding encrypted enforced enum error escape event exclude excluding exclusive \
    execute explain expression extension external family filter finalize first following force \
    format forward function functions generated global granted groups handler header hold hour \
    identity if immediate immutable implicit import include including increment indent index \
    indexes inherit inherits inline input insensitive insert instead invoker isolation keep \
    key keys label language large last leakproof level listen load local location lock locked \
    logged mapping match matched materialized maxvalue merge method minute minvalue mode month \
    move name names nested new next nfc nfd nfkc nfkd no normalized nothing notify nowait \
    nulls object objects of off oids old omit operator option options ordinality others over \
    overriding owned owner parallel parameter parser partial partition passing password path \
    period plan plans policy preceding prepare prepared preserve prior privileges procedural \
    procedure procedures program publication quote quotes range read reassign recheck \
    recursive ref referencing refresh reindex relative release rename repeatable replace \
    replica reset restart restrict return returns revoke role rollback rollup routine routines \
    rows rule savepoint scalar schema schemas scroll search second security sequence sequences \
    serializable server session set sets share show simple skip snapshot source sql stable \
    standalone start statement statistics stdin stdout storage stored strict string strip \
    subscription support sysid system tables tablespace target temp template temporary text \
    ties transaction transform trigger truncate trusted type types uescape unbounded \
    uncommitted unconditional unencrypted unknown unlisten unlogged until update vacuum valid \
    validate validator value varying version view views virtual volatile whitespace within \
    without work wrapper write xml year yes zone";
