-- +goose Down
DROP TABLE h;
-- +goose Up
CREATE TABLE h (id int);
