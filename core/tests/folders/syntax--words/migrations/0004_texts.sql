SELECT a FROM t WHERE b = 'x' 'y';
UPDATE t SET a = 'x'
'y' WHERE b = 1;
COMMENT ON TABLE t IS "it";
