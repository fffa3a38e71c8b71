ALTER TABLE migrations ADD COLUMN note text;
ALTER TABLE t RENAME TO migrations;
CREATE INDEX ON migrations (name);
CREATE TRIGGER tr AFTER INSERT ON migrations EXECUTE FUNCTION f();
