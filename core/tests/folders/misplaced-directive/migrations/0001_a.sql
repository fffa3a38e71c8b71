SELECT 1;
-- dunlin: no-transaction
SELECT 2;
