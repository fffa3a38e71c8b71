-- dunlin: allow leaking-setting: a dump
SET LOCAL lock_timeout = '1s';
