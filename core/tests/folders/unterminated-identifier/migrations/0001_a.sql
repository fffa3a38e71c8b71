SELECT 1 AS "größe
FROM t;
