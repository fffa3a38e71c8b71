-- +goose Up
SELECT 'x;
-- +goose Down
SELECT 1;
