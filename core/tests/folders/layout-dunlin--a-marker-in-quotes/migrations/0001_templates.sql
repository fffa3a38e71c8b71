CREATE TABLE templates (body text);
INSERT INTO templates VALUES ($$
-- +goose Up
SELECT 1;
$$);
