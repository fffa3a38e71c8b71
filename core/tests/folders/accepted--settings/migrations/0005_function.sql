CREATE FUNCTION f() RETURNS void LANGUAGE sql SET search_path = '' AS $$ SELECT set_config('a.b', '1', false) $$;
CREATE FUNCTION g() RETURNS text BEGIN ATOMIC SELECT set_config('a.b', '1', false); END;
CREATE VIEW v AS SELECT set_config('a.b', '1', false);
ALTER ROLE bob SET search_path = app;
