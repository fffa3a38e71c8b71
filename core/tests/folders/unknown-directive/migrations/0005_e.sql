-- dunlin:
SELECT 1;
