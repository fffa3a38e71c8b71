CREATE TYPE app.status AS ENUM ('a', 'b', 'c');
CREATE TABLE jobs (status app.status DEFAULT 'b' CHECK (status <> 'c'));
