DROP FUNCTION IF EXISTS admin_config_value(text);
DROP TABLE IF EXISTS admin_config;
DROP FUNCTION IF EXISTS check_time_zone();
