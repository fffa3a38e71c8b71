DROP FUNCTION IF EXISTS tat_due_at(request_priority, timestamptz, integer);
DROP FUNCTION IF EXISTS tat_hours_used(request_priority, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS working_hours_between(timestamptz, timestamptz);
DROP FUNCTION IF EXISTS business_hours(date);
DROP FUNCTION IF EXISTS is_holiday(date);
DROP TABLE IF EXISTS holidays;
DROP TYPE IF EXISTS holiday_kind;
