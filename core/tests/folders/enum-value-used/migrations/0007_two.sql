ALTER TYPE status ADD VALUE 'a';
ALTER TYPE status ADD VALUE 'b' AFTER 'a';
SELECT 'b'::status, 'a'::status;
