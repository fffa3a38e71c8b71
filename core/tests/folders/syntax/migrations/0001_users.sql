-- Words that are mistyped.
CREATE TABEL users (id bigint);
CREATE UNIQE INDEX users_id ON users (id);
create table teams (id bigint primry key, name text);
CREATE TABLE IF NOT EXIST roles (id bigint);
ALTER TABLE users ALTER COLUMN id SET NOTT NULL;
CREATE TABLE rights (id bigint, PRIMARYKEY (id));
SELECT * FORM users;
SELCT 1;
