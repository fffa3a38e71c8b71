-- dunlin: frobnicate
SELECT 1;
