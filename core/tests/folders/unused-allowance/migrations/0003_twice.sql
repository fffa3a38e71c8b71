-- dunlin: allow leaking-setting: a dump
-- dunlin: allow leaking-setting: a dump
SET lock_timeout = '1s';
