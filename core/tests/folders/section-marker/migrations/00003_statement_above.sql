-- why
CREATE TABLE b (id int);
-- +goose Up
CREATE TABLE c (id int);
