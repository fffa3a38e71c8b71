CREATE TYPE role AS ENUM ('reader', 'writer', 'owner');
ALTER TABLE users ADD COLUMN role role NOT NULL DEFAULT 'reader';
