-- A comment above is fine.

-- migrate:up
create type color as enum ('red');

-- migrate:down
drop type color;
