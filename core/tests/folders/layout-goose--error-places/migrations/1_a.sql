-- +goose Up
CREATE TABLE a (id int);
COMMIT;

-- +goose Down
DROP TABLE a;
  VACUUM;
