-- +goose Up
SELECT 1;
-- +goose Down
-- dunlin: allow leaking-setting: the tool reset it
SET lock_timeout = '1s';
