CREATE TABLE a (id bigint);

-- dunlin: syntax off
-- Why: the parser does not know it yet.
CREATE GADGET g;
  -- dunlin: syntax off
CREATE GADGET h;
CREATE TABLE b (id bigint);
