 -- No-Transaction
SELECT 1;
