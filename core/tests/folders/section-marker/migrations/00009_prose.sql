-- +goose Up
-- this was tried with +goose Down and worked
CREATE TABLE j (id int);
