//! What no checksum proves: the recorded migrations are run elsewhere and what they make is compared.

use super::*;

#[tokio::test]
async fn what_the_migrations_make_in_another_way_is_told_thing_by_thing() {
    let (database, migrations) = (DIESEL.database().await, DIESEL.registry());
    database
        .run(
            "ALTER TABLE users DROP COLUMN email; DROP INDEX teams_id; ALTER TABLE teams ALTER id SET DEFAULT 8; \
             CREATE TABLE audit (id serial PRIMARY KEY, at timestamptz); CREATE INDEX users_by_id ON users (id)",
        )
        .await;
    let error = moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Drift);
    assert_eq!(
        format!("{error:#}"),
        "the database is not what the recorded migrations make: 3 things differ

differs: column public.teams.id
  by the migrations: bigint default 7
  in the database:   bigint default 8

lacking: index public.teams.teams_id is not in the database
  by the migrations: CREATE INDEX teams_id ON public.teams USING btree (id)

lacking: column public.users.email is not in the database
  by the migrations: text

besides: table public.audit is made by no migration

besides: index public.users.users_by_id is made by no migration

note: the recorded migrations were run on a scratch server and its schema was compared; nothing was changed in the database
help: if the migrations are right, make the database so by hand, and start again
help: if the database is right, somebody has edited a migration or changed the schema by hand: make the files what was applied, or add a migration for the difference after moving in
help: if you know that the difference does no harm: `Migrator::unproved` records the migrations as unverified"
    );
    assert!(has_no_table(&database).await);
    database
        .run("ALTER TABLE users ADD COLUMN email text; CREATE INDEX teams_id ON teams (id); ALTER TABLE teams ALTER id SET DEFAULT 7")
        .await;
    let migrator = Migrator::new(&migrations);
    let adoption = looked(&migrations, &database, &DIESEL.origin()).await;
    let scratch = TestDatabase::new();
    let mut client = scratch.client().await;
    let scratch = Scratch::new(&mut client);
    let adoption = migrator.rehearse(database.pool(), adoption, scratch).await.unwrap();
    let besides: Vec<_> = adoption.differences().iter().map(dunlin::Difference::object).collect();
    assert_eq!(besides, ["table public.audit", "index public.users.users_by_id"]);
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
}

/// What a rehearsal says of each migration: state, name and proof.
async fn rehearsed(
    migrations: &Registry,
    database: &TestDatabase,
    origin: &Origin,
) -> Result<Adoption, Error> {
    let adoption = looked(migrations, database, origin).await;
    let scratch = TestDatabase::new();
    let mut client = scratch.client().await;
    let migrator = Migrator::new(migrations);
    migrator.rehearse(database.pool(), adoption, Scratch::new(&mut client)).await
}

fn proofs(adoption: &Adoption) -> Vec<String> {
    let proof = |it: &dunlin::Adopting| it.proof().map_or("none", dunlin::Proof::as_str);
    adoption.entries().iter().map(|it| format!("{} {}", it.name(), proof(it))).collect()
}

/// A history of diesel with as many migrations as texts, all of them recorded but the last.
async fn diesel_with(texts: &[&str], live: &str) -> (TestDatabase, Registry) {
    let database = TestDatabase::new();
    database.run(live).await;
    database.run(DIESEL.sql).await;
    database.run("DELETE FROM __diesel_schema_migrations").await;
    let names: Vec<_> =
        (1..=texts.len()).map(|n| format!("2024-03-0{n}-083000_m{n}/up.sql")).collect();
    for n in 1..texts.len() {
        let insert =
            format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('2024030{n}083000')");
        database.run(&insert).await;
    }
    let files: Vec<_> = names.iter().map(String::as_str).zip(texts.iter().copied()).collect();
    (database, registry(&files))
}

/// The history says that a column and a table are gone, and they are not.
#[tokio::test]
async fn what_a_recorded_migration_drops_must_be_gone() {
    let texts = [
        "CREATE TABLE users (id bigint, old text);\nCREATE TABLE legacy (id bigint);",
        "ALTER TABLE users DROP COLUMN old;",
        "DROP TABLE legacy;",
        MORE,
    ];
    let live = "CREATE TABLE users (id bigint, old text); CREATE TABLE legacy (id bigint);";
    let (database, migrations) = diesel_with(&texts, live).await;
    let error = moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Drift);
    let text = format!("{error:#}");
    for line in [
        "the database is not what the recorded migrations make: 2 things differ\n",
        "left: table public.legacy is in the database, although `2024-03-03-083000_m3` drops it\n",
        "left: column public.users.old is in the database, although `2024-03-02-083000_m2` drops it\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(has_no_table(&database).await);
    database.run("DROP TABLE legacy; ALTER TABLE users DROP COLUMN old").await;
    assert_eq!(moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap(), 3);
}

/// Only work that shows in the end proves anything.
#[tokio::test]
async fn a_migration_whose_work_does_not_show_is_recorded_as_unverified() {
    let texts = [
        "CREATE TABLE users (id bigint);",
        "INSERT INTO users VALUES (1);",
        "CREATE VIEW one AS SELECT 1 AS one;",
        "CREATE OR REPLACE VIEW one AS SELECT 1 AS one, 2 AS two;\nALTER TABLE users ADD COLUMN name text;",
        "ALTER TABLE users RENAME COLUMN name TO title;",
        "GRANT SELECT ON users TO PUBLIC;",
        MORE,
    ];
    let live = texts[..6].join("\n");
    let (database, migrations) = diesel_with(&texts, &live).await;
    let adoption = rehearsed(&migrations, &database, &DIESEL.origin()).await.unwrap();
    assert_eq!(adoption.differences(), []);
    assert_eq!(
        proofs(&adoption),
        [
            "2024-03-01-083000_m1 schema",
            "2024-03-02-083000_m2 none",
            "2024-03-03-083000_m3 none",
            "2024-03-04-083000_m4 schema",
            "2024-03-05-083000_m5 schema",
            "2024-03-06-083000_m6 none",
            "2024-03-07-083000_m7 none",
        ]
    );
    let migrator = Migrator::new(&migrations);
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 6);
    let status = migrator.verify(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Unverified), status.n_pending()), (3, 1));
}

/// What somebody has made by hand and a pending migration makes as well.
#[tokio::test]
async fn what_a_pending_migration_makes_and_is_there_already_is_told() {
    let (database, migrations) = (DIESEL.database().await, DIESEL.registry());
    database.run(&format!("{MORE} CREATE TABLE hers (id bigint)")).await;
    let adoption = rehearsed(&migrations, &database, &DIESEL.origin()).await.unwrap();
    let told: Vec<_> = adoption
        .differences()
        .iter()
        .map(|it| format!("{} {} {}", it.object(), it.besides(), it.stands_against()))
        .collect();
    assert_eq!(
        told,
        [
            "table public.hers is made by no migration false",
            "table public.more is there already, and `2024-03-03-083000_more`, which is pending, makes it false",
        ]
    );
}

/// Each kind of thing that an inventory holds is made by one migration, and lacks in the database.
#[tokio::test]
async fn every_kind_of_thing_is_compared() {
    let kinds = [
        "CREATE COLLATION plain FROM \"C\";",
        "CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2';\n\
         CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = same);",
        "CREATE TYPE pair AS (a int, b int);\n\
         CREATE FUNCTION pair_of(text) RETURNS pair LANGUAGE sql AS 'SELECT 1, 2';\n\
         CREATE CAST (text AS pair) WITH FUNCTION pair_of(text);",
        "CREATE TEXT SEARCH CONFIGURATION simple_too (COPY = pg_catalog.simple);",
        "CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = pg_catalog.simple);",
        "CREATE OPERATOR FAMILY alone USING btree;",
        "CREATE OPERATOR CLASS cls FOR TYPE int4 USING btree AS OPERATOR 1 <, FUNCTION 1 btint4cmp(int4, int4);",
        "CREATE PUBLICATION all_of_it FOR ALL TABLES;",
        MORE,
    ];
    let (database, migrations) = diesel_with(&kinds[..8], &kinds[..8].join("\n")).await;
    let adoption = rehearsed(&migrations, &database, &DIESEL.origin()).await.unwrap();
    assert!(!adoption.differences().iter().any(|it| it.stands_against()));
    let unproved: Vec<_> =
        proofs(&adoption).into_iter().filter(|it| it.ends_with("none")).collect();
    assert_eq!(unproved, ["2024-03-08-083000_m8 none"]);
    let (database, migrations) = diesel_with(&kinds, "").await;
    let adoption = rehearsed(&migrations, &database, &DIESEL.origin()).await.unwrap();
    let lacking: Vec<_> = adoption.differences().iter().map(|it| it.object().to_owned()).collect();
    for object in [
        "collation public.plain",
        "operator public.=== (text, text)",
        "cast text as public.pair",
        "text search configuration public.simple_too",
        "text search dictionary public.words",
        "operator family public.alone using btree",
        "operator class public.cls using btree",
        "publication all_of_it",
    ] {
        assert!(lacking.iter().any(|it| it == object), "{object}: {lacking:?}");
    }
}

/// On a server of its own, a role that a migration creates is not made before.
#[tokio::test]
async fn a_role_that_a_migration_creates_is_left_to_it() {
    let role = format!("dunlin_reader_{}", std::process::id());
    let creates = format!("CREATE ROLE {role};\nCREATE TABLE users (id bigint);");
    let live = format!("{creates}\nCREATE POLICY own ON users TO {role} USING (true);");
    let (database, migrations) =
        diesel_with(&[&creates, "CREATE TABLE teams (id bigint);"], &live).await;
    let adoption = looked(&migrations, &database, &DIESEL.origin()).await;
    let server = dunlin_sandbox::Server::start().unwrap();
    let scratch = server.create_database().unwrap();
    let address = scratch.connection_string();
    let (mut client, connection) =
        tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    let driving = tokio::spawn(connection);
    let migrator = Migrator::new(&migrations);
    let scratch = Scratch::new(&mut client).with_roles();
    let adoption = migrator.rehearse(database.pool(), adoption, scratch).await.unwrap();
    assert!(!adoption.differences().iter().any(|it| it.stands_against()));
    driving.abort();
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn without_a_comparison_nothing_is_recorded_unless_somebody_says_so() {
    let (database, migrations) = (DIESEL.database().await, DIESEL.registry());
    let adoption = looked(&migrations, &database, &DIESEL.origin()).await;
    let migrator = Migrator::new(&migrations);
    let error = migrator.adopt_from(database.pool(), &adoption).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing proves that 2 migrations here are those that diesel applied"
    );
    assert!(has_no_table(&database).await);
    let migrator = migrator.unproved(true);
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
    let status = migrator.verify(database.pool()).await.unwrap();
    assert_eq!((status.count(State::Unverified), status.n_pending()), (2, 1));
}

#[tokio::test]
async fn a_migration_that_fails_in_the_rehearsal_is_named_with_its_place() {
    let (database, migrations) = (
        DIESEL.database().await,
        DIESEL.registry_of([
            USERS,
            "CREATE TABLE teams (id bigint);\nGRANT SELECT ON teams TO nobody_here;\n",
            MORE,
        ]),
    );
    let error = moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap_err();
    let text = format!("{error:#}");
    assert_eq!(error.kind(), ErrorKind::Migration);
    assert_eq!(
        text,
        "the rehearsal failed at `2024-03-02-083000_teams`: role \"nobody_here\" does not exist (42704)
 --> migrations/2024-03-02-083000_teams/up.sql:2:1
  |
2 | GRANT SELECT ON teams TO nobody_here;
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this statement (2 of 2)
  |
  = note: the recorded migrations were run on a scratch database, to compare what they make; nothing was changed in yours
  = help: if a migration needs what that server does not have, such as an extension, a role or data, rehearse on one that has it: `Migrator::rehearse`
  = help: or record the migrations as unverified without a rehearsal: `Migrator::unproved`"
    );
    assert!(has_no_table(&database).await);
    let scratch = SQLX.database().await;
    let mut client = scratch.client().await;
    let adoption = looked(&migrations, &database, &DIESEL.origin()).await;
    let migrator = Migrator::new(&migrations);
    let error = migrator.rehearse(database.pool(), adoption, Scratch::new(&mut client)).await;
    assert!(
        error.unwrap_err().to_string().starts_with("the scratch database is not empty: it has ")
    );
}

/// Schemas that the search path names, other than `public`.
#[tokio::test]
async fn a_schema_of_one_s_own_is_compared_with_itself() {
    let (database, migrations) = (TestDatabase::new(), DIESEL.registry());
    database.run("CREATE SCHEMA app; DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app', current_database()); END $$").await;
    database.run(&format!("{USERS}{TEAMS}{}", DIESEL.sql)).await;
    assert_eq!(moved_in(&migrations, &database, &DIESEL.origin()).await.unwrap(), 2);
    assert_eq!(database.texts("SELECT name FROM app.migrations ORDER BY id").await.len(), 2);
    // Or the history in a schema that is still to be made.
    let migrator = Migrator::new(&migrations).history_schema("ops").unproved(true);
    let adoption = migrator.adoption(database.pool(), &DIESEL.origin()).await.unwrap();
    assert_eq!(migrator.adopt_from(database.pool(), &adoption).await.unwrap(), 2);
    assert_eq!(database.number("SELECT count(*) FROM ops.migrations").await, 2);
}
