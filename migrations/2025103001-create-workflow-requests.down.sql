DROP TABLE IF EXISTS workflow_requests;
DROP FUNCTION IF EXISTS touch_updated_at();
DROP DOMAIN IF EXISTS email_address;
DROP TYPE IF EXISTS request_priority;
DROP TYPE IF EXISTS request_status;
