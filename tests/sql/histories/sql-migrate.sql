-- sql-migrate 1, through gorp.
CREATE TABLE IF NOT EXISTS "gorp_migrations" ("id" text not null primary key, "applied_at" timestamp with time zone);
INSERT INTO "gorp_migrations" ("id", "applied_at") VALUES
    ('1_users.sql', '2024-03-01 08:30:00+00'), ('2_teams.sql', '2024-03-02 08:30:00+00');
