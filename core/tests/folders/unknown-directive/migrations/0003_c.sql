-- dunlin: no-transaction please
SELECT 1;
