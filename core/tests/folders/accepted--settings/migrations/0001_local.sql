SET LOCAL statement_timeout = '10min';
SELECT set_config('a.b', 'false', true), set_config('a.b', f(1, false), is_local), current_setting('x', false);
SET CONSTRAINTS ALL DEFERRED;
