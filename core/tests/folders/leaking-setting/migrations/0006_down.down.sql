SET lock_timeout TO '2s';
SELECT 1;
