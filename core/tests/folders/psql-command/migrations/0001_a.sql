\restrict abc
SELECT 1;
\connect db
\unrestrict abc
\i other.sql
\echo done
