-- dunlin: lock-timeout 2
CREATE TABLE a (id int);
