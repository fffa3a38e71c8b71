-- dunlin: no-transaction
SET lock_timeout = '1s';
VACUUM t;
