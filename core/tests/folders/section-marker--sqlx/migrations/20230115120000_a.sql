-- why
-- no-transaction
SELECT 1;
