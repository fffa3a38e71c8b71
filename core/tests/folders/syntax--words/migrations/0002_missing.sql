DELETE t WHERE a = 1;
INSERT t VALUES (1);
ALTER TABLE t OWNER bob;
GRANT SELECT t TO bob;
CREATE TABLE t (id int PRIMARY, b int);
UPDATE t a = 1 WHERE b = 2;
create trigger g before insert on t for each row f();
SELECT a FROM t ORDER a;
