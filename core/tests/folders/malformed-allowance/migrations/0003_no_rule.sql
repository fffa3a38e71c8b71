-- dunlin: allow
SELECT 1;
