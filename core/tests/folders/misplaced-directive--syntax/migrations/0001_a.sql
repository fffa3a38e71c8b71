CREATE TABLE a (id bigint); -- dunlin: syntax off
CREATE TABLE b (
    -- dunlin: syntax off
    id bigint
);
CREATE TABLE c (id bigint);
-- dunlin: syntax off
