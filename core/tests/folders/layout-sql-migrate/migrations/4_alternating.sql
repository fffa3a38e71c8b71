-- +migrate Up
CREATE TABLE one (id int);
-- +migrate Down
DROP TABLE two;
-- +migrate Up
CREATE TABLE two (id int);
-- +migrate Down
DROP TABLE one;
