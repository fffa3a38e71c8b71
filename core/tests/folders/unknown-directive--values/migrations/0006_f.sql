-- dunlin: breaking
-- dunlin: lock-timeout 1min
/* dunlin is a bird */ CREATE TABLE f (id int);
