-- dbmate 2.
CREATE TABLE IF NOT EXISTS "public"."schema_migrations" (version varchar PRIMARY KEY);
INSERT INTO "public"."schema_migrations" (version) VALUES ('20240301083000'), ('20240302083000');
