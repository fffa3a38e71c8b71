-- Rows that every installation has.
-- +goose Up
INSERT INTO users (email) VALUES ('root@example.org');
-- +goose Down
-- nothing to undo
