-- Backslashes that stand for nothing.
SELECT U&'a\zz';
SELECT U&'\0061\+12', 1;
SELECT U&'!x' UESCAPE '!';
SELECT U&'a' UESCAPE '+';
SELECT U&'\D834';
SELECT E'x\u00zz';
SELECT E'\uDD1E';
SELECT E'\U00110000';
SELECT E'a', E'a\0b';
COMMENT ON TABLE users IS E'C:\users';
SELECT U&'a' UESCAPE;
-- Nothing of this may hide a mistake in front of it.
SELEC E'\0';
