-- The index and the constraint go with the columns they use.
ALTER TABLE IF EXISTS approval_levels
    DROP COLUMN IF EXISTS breached_at,
    DROP COLUMN IF EXISTS second_alert_at,
    DROP COLUMN IF EXISTS first_alert_at;
