-- +goose Up
CREATE TABLE d (id int);
-- +goose Dwon
DROP TABLE d;
