CREATE TYPE app.status AS ENUM ('a');
ALTER TYPE status RENAME TO state;
ALTER TYPE state ADD VALUE E'b\tc';
ALTER TYPE state ADD VALUE 'd';
CREATE TABLE jobs (status state DEFAULT 'd');
