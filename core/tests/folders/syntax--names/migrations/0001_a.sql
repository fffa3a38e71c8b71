CREATE TABLE user (id bigint);
CREATE TABLE "user" (id bigint, order int, from date);
ALTER TABLE a RENAME COLUMN b TO end;
CREATE TABLE `a` (id bigint);
COMMENT ON TABLE a IS "the first";
CREATE EXTENSION uuid-ossp;
CREATE TABLE a (b none);
SELECT left FROM a;
