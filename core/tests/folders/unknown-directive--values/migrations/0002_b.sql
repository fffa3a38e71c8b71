-- dunlin: lock-timeout
-- dunlin: breaking change
CREATE TABLE b (id int);
