SET statement_timeout = '10min';
SELECT 1;
