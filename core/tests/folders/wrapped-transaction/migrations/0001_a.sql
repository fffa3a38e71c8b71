-- a comment
BEGIN;

CREATE TABLE t (id int);

COMMIT;
-- another
