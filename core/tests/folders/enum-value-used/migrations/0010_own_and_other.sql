CREATE TYPE own AS ENUM ('a');
ALTER TYPE status ADD VALUE 'late';
ALTER TYPE own ADD VALUE 'early';
SELECT 'late'::status, 'early'::own;
