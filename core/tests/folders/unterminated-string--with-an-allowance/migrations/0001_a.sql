-- dunlin: allow leaking-setting: it is meant
SELECT 'x;
SET lock_timeout = '1s';
