-- dunlin: allow leaking-setting
SELECT 1;
