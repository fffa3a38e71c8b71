CREATE TABLE a (id bigint);
-- dunlin: syntax off
CREATE GADGET g;
CREATE GADGET h;
