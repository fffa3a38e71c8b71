-- dunlin: allow leaking-setting: a released file that was mended
SELECT 1;
