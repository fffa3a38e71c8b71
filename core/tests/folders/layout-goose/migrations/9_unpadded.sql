-- +goose Up
CREATE TABLE unpadded (id int);
-- +goose Down
DROP TABLE unpadded;
