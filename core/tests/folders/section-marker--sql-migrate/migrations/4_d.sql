SELECT 0;
-- +migrate Up
SELECT 1;
-- +migrate StatementEnd
