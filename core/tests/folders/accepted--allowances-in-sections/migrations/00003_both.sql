-- +goose Up
-- dunlin: allow leaking-setting: the tool reset it
SET lock_timeout = '1s';
-- +goose Down
SET lock_timeout = '1s';
