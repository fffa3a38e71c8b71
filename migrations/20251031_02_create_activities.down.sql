DROP TABLE IF EXISTS activities;
DROP FUNCTION IF EXISTS refuse_update();
DROP TYPE IF EXISTS activity_kind;
