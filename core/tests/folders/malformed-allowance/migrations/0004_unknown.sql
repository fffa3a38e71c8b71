-- dunlin: allow leaking-settings: it is meant
SELECT 1;
