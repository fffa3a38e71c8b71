-- sqlx 0.9, as `sqlx::migrate!` makes and fills it.
CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
    success BOOLEAN NOT NULL,
    checksum BYTEA NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) VALUES
    (1, 'users', '2024-03-01 08:30:00.123456+00', TRUE, sha384(convert_to(E'CREATE TABLE users (id bigint PRIMARY KEY, email text);\n', 'UTF8')), 12345678),
    (2, 'teams', '2024-03-02 08:30:00+00', TRUE, sha384(convert_to(E'CREATE TABLE teams (id bigint DEFAULT 7);\nCREATE INDEX teams_id ON teams (id);\n', 'UTF8')), -1);
