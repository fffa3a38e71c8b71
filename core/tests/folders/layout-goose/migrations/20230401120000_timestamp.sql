-- +goose Up
CREATE TABLE stamped (id int);
-- +goose Down
DROP TABLE stamped;
