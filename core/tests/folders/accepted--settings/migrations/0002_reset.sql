SET statement_timeout = '10min';
SET SESSION search_path = x;
SET TIME ZONE 'UTC';
SET ROLE bob;
UPDATE t SET a = 1;
RESET statement_timeout;
SET search_path TO DEFAULT;
SET TIME ZONE DEFAULT;
RESET ROLE;
