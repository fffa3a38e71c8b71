-- +goose Up
CREATE TABLE f (id int);
-- +goose Up
CREATE TABLE g (id int);
