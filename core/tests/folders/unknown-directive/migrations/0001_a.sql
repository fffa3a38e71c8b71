-- dunlin: no-transacton
SELECT 1;
