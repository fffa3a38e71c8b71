-- +goose Up
CREATE TABLE later (id int);
