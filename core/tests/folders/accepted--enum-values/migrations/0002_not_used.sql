-- 'd' is for later
ALTER TYPE state ADD VALUE 'd' BEFORE 'a';
ALTER TYPE state RENAME VALUE 'a' TO 'aa';
COMMENT ON TYPE state IS 'd';
/* 'd' */ SELECT "d" FROM jobs;
INSERT INTO notes VALUES ($$ say 'd' $$);
