ALTER TYPE status ADD VALUE 'new';
CREATE FUNCTION m() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM jobs WHERE status = 'new'; END;
