-- dunlin: lock-timeout soon
-- dunlin: lock-timeout 0s
-- dunlin: lock-timeout 99999999min
CREATE TABLE c (id int);
