-- Sequelize 6 with umzug.
CREATE TABLE IF NOT EXISTS "SequelizeMeta" ("name" VARCHAR(255) NOT NULL UNIQUE , PRIMARY KEY ("name"));
INSERT INTO "SequelizeMeta" ("name") VALUES ('20240301-users.js'), ('20240302-teams.ts');
