-- dunlin no-transaction
SELECT 1;
