-- dunlin: no-transaction
START TRANSACTION;
SELECT 1;
END;
