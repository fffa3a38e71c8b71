-- A comment above is fine.

-- migrate:up
create type color as enum ('red');

-- migrate:down
drop table paints;

-- migrate:up
create table paints (color color);

-- migrate:down
drop type color;
