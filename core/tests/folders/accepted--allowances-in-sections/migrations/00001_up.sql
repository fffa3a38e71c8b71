-- dunlin: allow leaking-setting: the tool reset it
-- +goose Up
SET lock_timeout = '1s';
-- +goose Down
SELECT 1;
