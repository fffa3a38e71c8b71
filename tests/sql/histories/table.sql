-- A table that a service has made for itself, with umzug's names.
CREATE TABLE applied_migrations (id serial PRIMARY KEY, name varchar(255) NOT NULL UNIQUE,
    executed_at timestamptz NOT NULL DEFAULT now());
INSERT INTO applied_migrations (name, executed_at) VALUES
    ('20240301-users', '2024-03-01 08:30:00+00'), ('20240302-teams.js', '2024-03-02 08:30:00+00');
