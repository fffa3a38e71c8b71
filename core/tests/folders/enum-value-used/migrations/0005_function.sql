ALTER TYPE status ADD VALUE 'new';
CREATE FUNCTION n() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM jobs WHERE status = 'new' $$;
