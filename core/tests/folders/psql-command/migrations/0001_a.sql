\restrict abc
SELECT 1;
\connect db
