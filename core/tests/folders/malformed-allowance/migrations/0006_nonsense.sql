-- dunlin: allow everything please
SELECT 1;
