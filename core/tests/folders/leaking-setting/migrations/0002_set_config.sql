SELECT pg_catalog.set_config('search_path', concat('a', ',', 'b'), false);
SELECT set_config('a.b', 'x', is_local => false);
