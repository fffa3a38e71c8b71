-- +migrate Up no_transaction
SELECT 1;
