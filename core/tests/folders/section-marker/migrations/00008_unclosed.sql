-- +goose Up
-- +goose StatementBegin
CREATE TABLE i (id int);
-- +goose Down
DROP TABLE i;
-- +goose StatementEnd
