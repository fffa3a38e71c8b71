-- dunlin: syntax
-- dunlin: syntax of
-- dunlin: syntax on
-- dunlin: syntax off because the parser is wrong
-- dunlin: syntx off
-- dunlin syntax off
CREATE TABLE a (id bigint);
-- dunlin: syntax 0
CREATE TABLE b (id bigint);
