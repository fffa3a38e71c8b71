ALTER TYPE status ADD VALUE 'gone';
DO $do$
BEGIN
    UPDATE jobs SET status = 'gone';
END
$do$;
