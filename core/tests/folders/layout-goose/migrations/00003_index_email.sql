-- +goose no transaction

-- +goose up
CREATE INDEX CONCURRENTLY users_email ON users (email);

-- +goose down
DROP INDEX CONCURRENTLY users_email;
