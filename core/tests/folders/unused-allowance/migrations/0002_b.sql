-- dunlin: allow long-identifier: generated
-- dunlin: allow leaking-setting: a dump
SET lock_timeout = '1s';
