CREATE TABLE a (
  id int,
  name text;
CREATE TABLE b (id int);
