-- What other databases write, and what comes to mind first.
CREATE TABLE users (id int(11), name varchar(max));
CREATE TABLE teams (id bigint, made timestamptz DEFAULT now() AT TIME ZONE 'utc');
CREATE TABLE roles (id bigint DEFAULT NOT NULL);
CREATE TABLE rights;
ALTER TABLE users ADD CONSRAINT positive CHECK (id > 0) NOT VALID;
ALTER TABLE users RENAME id TO user_id, RENAME name TO full_name;
ALTER TABLE users;
CREATE INDEX users_name ON users (first || last);
CREATE INDEX users_mail ON users (data->>'mail');
CREATE INDEX users_id ON users (users.id);
CREATE TABLE p1 PARTITION OF users (id int) DEFAULT;
