-- dunlin: allow leaking-setting: the tool reset it
-- +goose Up
SELECT 1;
-- +goose Down
SET lock_timeout = '1s';
