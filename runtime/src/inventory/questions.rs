//! The questions to the catalog, one for each kind of thing.
//!
//! Each gives `kind`, `schema`, `relation` (empty if it belongs to none), `name` and `definition`.
//! The catalog is that of the manual's chapter 53.

/// The kinds to which other things belong.
pub(super) const RELATIONS: [&str; 4] = ["table", "foreign table", "view", "materialized view"];

/// All questions as one batch.
pub(super) fn all() -> String {
    [
        SCHEMAS,
        EXTENSIONS,
        ENUMS,
        DOMAINS,
        COMPOSITES,
        RANGES,
        TABLES,
        COLUMNS,
        CONSTRAINTS,
        INDEXES,
        VIEWS,
        SEQUENCES,
        FUNCTIONS,
        AGGREGATES,
        TRIGGERS,
        POLICIES,
        RULES,
        STATISTICS,
        EVENT_TRIGGERS,
        PUBLICATIONS,
        OPERATORS,
        OPERATOR_FAMILIES,
        OPERATOR_CLASSES,
        CASTS,
        COLLATIONS,
        TEXT_SEARCH_DICTIONARIES,
        TEXT_SEARCH_CONFIGURATIONS,
        LANGUAGES,
        FOREIGN_SERVERS,
    ]
    .map(|question| question.replace("{own}", OWN))
    .join("; ")
}

/// Whether a schema `n` is a user's.
const OWN: &str = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

const SCHEMAS: &str = "\
    SELECT 'schema' AS kind, n.nspname AS schema, '' AS relation, '' AS name, '' AS definition \
    FROM pg_catalog.pg_namespace n WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objid = n.oid AND d.deptype = 'e')";

const EXTENSIONS: &str = "\
    SELECT 'extension' AS kind, '' AS schema, '' AS relation, extname AS name, '' AS definition \
    FROM pg_catalog.pg_extension";

const ENUMS: &str = "\
    SELECT 'type' AS kind, n.nspname AS schema, '' AS relation, t.typname AS name, \
    'enum (' || pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) || ')' AS definition \
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
    JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid \
    WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e') \
    GROUP BY n.nspname, t.typname";

const DOMAINS: &str = "\
    SELECT 'domain' AS kind, n.nspname AS schema, '' AS relation, t.typname AS name, \
    pg_catalog.concat_ws(' ', pg_catalog.format_type(t.typbasetype, t.typtypmod), \
    CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault, \
    (SELECT pg_catalog.string_agg(c.conname || ' ' || pg_catalog.pg_get_constraintdef(c.oid), ' ' ORDER BY c.conname) \
    FROM pg_catalog.pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c')) AS definition \
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
    WHERE t.typtype = 'd' AND {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e')";

const COMPOSITES: &str = "\
    SELECT 'type' AS kind, n.nspname AS schema, '' AS relation, c.relname AS name, \
    '(' || pg_catalog.string_agg(pg_catalog.quote_ident(a.attname) || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) || ')' AS definition \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE c.relkind = 'c' AND {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = c.reltype AND d.deptype = 'e') \
    GROUP BY n.nspname, c.relname";

const RANGES: &str = "\
    SELECT 'type' AS kind, n.nspname AS schema, '' AS relation, t.typname AS name, \
    'range of ' || pg_catalog.format_type(r.rngsubtype, NULL) AS definition \
    FROM pg_catalog.pg_range r JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid \
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
    WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e')";

const TABLES: &str = "\
    SELECT CASE c.relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind, \
    n.nspname AS schema, c.relname AS relation, c.relname AS name, \
    pg_catalog.concat_ws(', ', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END, \
    'partitioned by ' || pg_catalog.pg_get_partkeydef(c.oid), \
    (SELECT pg_catalog.string_agg(CASE WHEN c.relispartition THEN 'partition of ' ELSE 'inherits ' END || i.inhparent::pg_catalog.regclass::pg_catalog.text, ', ' ORDER BY i.inhseqno) \
    FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid), \
    pg_catalog.pg_get_expr(c.relpartbound, c.oid), \
    CASE WHEN c.relrowsecurity THEN 'row level security' END, \
    CASE WHEN c.relforcerowsecurity THEN 'forced row level security' END) AS definition \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'f') AND {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

const COLUMNS: &str = "\
    SELECT 'column' AS kind, n.nspname AS schema, c.relname AS relation, a.attname AS name, \
    pg_catalog.concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod), \
    (SELECT 'collate ' || pg_catalog.quote_ident(l.collname) FROM pg_catalog.pg_collation l, pg_catalog.pg_type t \
    WHERE l.oid = a.attcollation AND t.oid = a.atttypid AND t.typcollation <> a.attcollation), \
    CASE WHEN a.attnotnull THEN 'not null' END, \
    CASE a.attidentity WHEN 'a' THEN 'generated always as identity' WHEN 'd' THEN 'generated by default as identity' END, \
    CASE a.attgenerated WHEN '' THEN 'default ' || pg_catalog.pg_get_expr(e.adbin, e.adrelid) \
    WHEN 's' THEN 'generated always as (' || pg_catalog.pg_get_expr(e.adbin, e.adrelid) || ') stored' \
    ELSE 'generated always as (' || pg_catalog.pg_get_expr(e.adbin, e.adrelid) || ') virtual' END) AS definition \
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum \
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND {own} \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// `NOT NULL` is said with the column: it is a constraint only since PostgreSQL 18.
const CONSTRAINTS: &str = "\
    SELECT 'constraint' AS kind, n.nspname AS schema, c.relname AS relation, o.conname AS name, \
    pg_catalog.pg_get_constraintdef(o.oid) AS definition \
    FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE o.contype IN ('p', 'u', 'f', 'c', 'x') AND {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// Those that are no constraint's.
const INDEXES: &str = "\
    SELECT 'index' AS kind, n.nspname AS schema, c.relname AS relation, x.relname AS name, \
    pg_catalog.pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END AS definition \
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
    JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x')) \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid IN (c.oid, x.oid) AND d.deptype = 'e')";

const VIEWS: &str = "\
    SELECT CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END AS kind, \
    n.nspname AS schema, c.relname AS relation, c.relname AS name, pg_catalog.pg_get_viewdef(c.oid) AS definition \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('v', 'm') AND {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// That of an identity column is a part of it, and that of a `serial` belongs to its table.
const SEQUENCES: &str = "\
    SELECT 'sequence' AS kind, n.nspname AS schema, coalesce(o.relname, '') AS relation, c.relname AS name, \
    pg_catalog.concat_ws(' ', pg_catalog.format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement, \
    'minvalue', s.seqmin, 'maxvalue', s.seqmax, CASE WHEN s.seqcycle THEN 'cycle' END) AS definition \
    FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_depend w ON w.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND w.objid = c.oid \
    AND w.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND w.refobjsubid > 0 AND w.deptype IN ('a', 'i') \
    LEFT JOIN pg_catalog.pg_class o ON o.oid = w.refobjid \
    WHERE w.deptype IS DISTINCT FROM 'i' AND {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

const FUNCTIONS: &str = "\
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind, n.nspname AS schema, '' AS relation, \
    p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS name, \
    pg_catalog.pg_get_functiondef(p.oid) AS definition \
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
    WHERE p.prokind <> 'a' AND {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))";

const AGGREGATES: &str = "\
    SELECT 'aggregate' AS kind, n.nspname AS schema, '' AS relation, \
    p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' AS name, \
    pg_catalog.concat_ws(' ', g.aggtransfn::pg_catalog.regproc, g.aggfinalfn::pg_catalog.regproc, \
    pg_catalog.format_type(g.aggtranstype, NULL), g.agginitval) AS definition \
    FROM pg_catalog.pg_aggregate g JOIN pg_catalog.pg_proc p ON p.oid = g.aggfnoid \
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
    WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e')";

const TRIGGERS: &str = "\
    SELECT 'trigger' AS kind, n.nspname AS schema, c.relname AS relation, t.tgname AS name, \
    pg_catalog.pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' WHEN 'D' THEN ' (disabled)' \
    WHEN 'R' THEN ' (enabled on replicas)' ELSE ' (enabled always)' END AS definition \
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE NOT t.tgisinternal AND {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

const POLICIES: &str = "\
    SELECT 'policy' AS kind, n.nspname AS schema, c.relname AS relation, p.polname AS name, \
    pg_catalog.concat_ws(' ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, \
    CASE p.polcmd WHEN 'r' THEN 'for select' WHEN 'a' THEN 'for insert' WHEN 'w' THEN 'for update' WHEN 'd' THEN 'for delete' ELSE 'for all' END, \
    'to ' || coalesce((SELECT pg_catalog.string_agg(r.rolname, ', ' ORDER BY r.rolname) \
    FROM pg_catalog.pg_roles r WHERE r.oid = ANY (p.polroles)), 'public'), \
    'using (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', \
    'with check (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')') AS definition \
    FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {own}";

const RULES: &str = "\
    SELECT 'rule' AS kind, n.nspname AS schema, c.relname AS relation, r.rulename AS name, \
    pg_catalog.pg_get_ruledef(r.oid) AS definition \
    FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE r.rulename <> '_RETURN' AND {own} \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

const STATISTICS: &str = "\
    SELECT 'statistics' AS kind, n.nspname AS schema, c.relname AS relation, s.stxname AS name, \
    pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition \
    FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace WHERE {own}";

const EVENT_TRIGGERS: &str = "\
    SELECT 'event trigger' AS kind, '' AS schema, '' AS relation, t.evtname AS name, \
    pg_catalog.concat_ws(' ', 'on', t.evtevent, pg_catalog.array_to_string(t.evttags, ', '), 'execute', t.evtfoid::pg_catalog.regproc) AS definition \
    FROM pg_catalog.pg_event_trigger t WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e')";

/// What it sends stands in columns of which each version has more.
const PUBLICATIONS: &str = "\
    SELECT 'publication' AS kind, '' AS schema, '' AS relation, p.pubname AS name, \
    pg_catalog.concat_ws(' ', \
    (SELECT 'for ' || pg_catalog.string_agg(r.prrelid::pg_catalog.regclass::pg_catalog.text, ', ' ORDER BY r.prrelid::pg_catalog.regclass::pg_catalog.text) \
    FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid), \
    pg_catalog.to_jsonb(p) - '{oid,pubname,pubowner}'::pg_catalog.text[]) AS definition FROM pg_catalog.pg_publication p";

const OPERATORS: &str = "\
    SELECT 'operator' AS kind, n.nspname AS schema, '' AS relation, \
    pg_catalog.concat(o.oprname, ' (', CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) || ', ' END, \
    pg_catalog.format_type(o.oprright, NULL), ')') AS name, \
    pg_catalog.concat_ws(' ', 'function', o.oprcode, 'restrict', o.oprrest, 'join', o.oprjoin, \
    CASE WHEN o.oprcanhash THEN 'hashes' END, CASE WHEN o.oprcanmerge THEN 'merges' END) AS definition \
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace \
    WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND d.objid = o.oid AND d.deptype = 'e')";

const OPERATOR_FAMILIES: &str = "\
    SELECT 'operator family' AS kind, n.nspname AS schema, '' AS relation, f.opfname || ' using ' || m.amname AS name, \
    pg_catalog.concat_ws(', ', \
    (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', 'operator', o.amopstrategy, o.amopopr::pg_catalog.regoperator), ', ' \
    ORDER BY o.amopstrategy, o.amopopr::pg_catalog.regoperator::pg_catalog.text) FROM pg_catalog.pg_amop o WHERE o.amopfamily = f.oid), \
    (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', 'function', p.amprocnum, p.amproc::pg_catalog.regprocedure), ', ' \
    ORDER BY p.amprocnum, p.amproc::pg_catalog.regprocedure::pg_catalog.text) FROM pg_catalog.pg_amproc p WHERE p.amprocfamily = f.oid)) AS definition \
    FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod \
    JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass AND d.objid = f.oid AND d.deptype = 'e')";

const OPERATOR_CLASSES: &str = "\
    SELECT 'operator class' AS kind, n.nspname AS schema, '' AS relation, c.opcname || ' using ' || m.amname AS name, \
    pg_catalog.concat_ws(' ', CASE WHEN c.opcdefault THEN 'default' END, 'for', pg_catalog.format_type(c.opcintype, NULL), \
    'family', f.opfname) AS definition \
    FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod \
    JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_opclass'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// The first number of an object that did not come with the server is 16384. A cast has no schema, and a
/// language none either.
const CASTS: &str = "\
    SELECT 'cast' AS kind, '' AS schema, '' AS relation, \
    pg_catalog.concat(pg_catalog.format_type(c.castsource, NULL), ' as ', pg_catalog.format_type(c.casttarget, NULL)) AS name, \
    pg_catalog.concat_ws(' ', CASE c.castmethod WHEN 'f' THEN 'with ' || c.castfunc::pg_catalog.regprocedure::pg_catalog.text \
    WHEN 'i' THEN 'with inout' ELSE 'without function' END, \
    CASE c.castcontext WHEN 'a' THEN 'as assignment' WHEN 'i' THEN 'as implicit' END) AS definition \
    FROM pg_catalog.pg_cast c WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

/// The columns with its locale have other names in each version.
const COLLATIONS: &str = "\
    SELECT 'collation' AS kind, n.nspname AS schema, '' AS relation, c.collname AS name, \
    (pg_catalog.to_jsonb(c) - '{oid,collname,collnamespace,collowner,collversion}'::pg_catalog.text[])::pg_catalog.text AS definition \
    FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace \
    WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_collation'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

const TEXT_SEARCH_DICTIONARIES: &str = "\
    SELECT 'text search dictionary' AS kind, n.nspname AS schema, '' AS relation, d.dictname AS name, \
    pg_catalog.concat_ws(' ', 'template', t.tmplname, d.dictinitoption) AS definition \
    FROM pg_catalog.pg_ts_dict d JOIN pg_catalog.pg_ts_template t ON t.oid = d.dicttemplate \
    JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend p \
    WHERE p.classid = 'pg_catalog.pg_ts_dict'::pg_catalog.regclass AND p.objid = d.oid AND p.deptype = 'e')";

const TEXT_SEARCH_CONFIGURATIONS: &str = "\
    SELECT 'text search configuration' AS kind, n.nspname AS schema, '' AS relation, c.cfgname AS name, \
    pg_catalog.concat_ws(' ', 'parser', p.prsname, \
    (SELECT pg_catalog.string_agg(m.maptokentype || ' ' || m.mapdict::pg_catalog.regdictionary::pg_catalog.text, ', ' ORDER BY m.maptokentype, m.mapseqno) \
    FROM pg_catalog.pg_ts_config_map m WHERE m.mapcfg = c.oid)) AS definition \
    FROM pg_catalog.pg_ts_config c JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace WHERE {own} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_ts_config'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')";

const LANGUAGES: &str = "\
    SELECT 'language' AS kind, '' AS schema, '' AS relation, l.lanname AS name, \
    CASE WHEN l.lanpltrusted THEN 'trusted' ELSE '' END AS definition \
    FROM pg_catalog.pg_language l WHERE l.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_language'::pg_catalog.regclass AND d.objid = l.oid AND d.deptype = 'e')";

/// Without its options, which name hosts and differ between installations.
const FOREIGN_SERVERS: &str = "\
    SELECT 'server' AS kind, '' AS schema, '' AS relation, s.srvname AS name, \
    pg_catalog.concat_ws(' ', 'wrapper', w.fdwname, s.srvtype, s.srvversion) AS definition \
    FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw \
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
    WHERE d.classid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass AND d.objid = s.oid AND d.deptype = 'e')";
