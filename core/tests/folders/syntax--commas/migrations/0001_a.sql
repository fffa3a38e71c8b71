CREATE TABLE a (
    id bigint
    name text,
    created_at timestamptz NOT NULL
);
CREATE TABLE b (
    id bigint,
    name text,
);
SELECT id, name, FROM a;
UPDATE a SET id = 1 name = 'x';
INSERT INTO a VALUES (1, 'a'), (2, 'b'),;
INSERT INTO a VALUES ('a' 'b');
GRANT SELECT ON a TO alice bob;
