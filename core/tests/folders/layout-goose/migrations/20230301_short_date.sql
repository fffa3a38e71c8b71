-- +goose Up
CREATE TABLE short (id int);
