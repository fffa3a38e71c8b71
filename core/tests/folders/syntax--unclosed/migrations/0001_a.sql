CREATE VIEW v AS
SELECT CASE
        WHEN a > 0 THEN 'plus'
        ELSE 'minus'
FROM t;
SELECT 1 WHERE true = CASE WHEN true THEN false;
SELECT a[1 FROM t;
SELECT (CASE WHEN a THEN b);
