DROP TABLE IF EXISTS approval_levels;
DROP TYPE IF EXISTS level_status;
