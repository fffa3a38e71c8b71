-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION histories_partition_creation( DATE, DATE )
returns void AS $$
DECLARE
  create_query text;
BEGIN
  FOR create_query IN SELECT 'SELECT 1;' LOOP
    EXECUTE create_query;
  END LOOP;
END;
$$
language plpgsql
-- +goose StatementEnd
-- +goose StatementBegin
SELECT histories_partition_creation(current_date, current_date)
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION histories_partition_creation(DATE, DATE);
