-- dunlin: allow enum-value-used: a text that looks the same
ALTER TYPE s ADD VALUE 'a';
INSERT INTO words VALUES ('a');
