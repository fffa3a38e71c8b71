-- Which alerts a level has had. They stand at the level itself, so that the job that looks for
-- levels to warn about reads one small index and nothing else.

ALTER TABLE approval_levels
    ADD COLUMN IF NOT EXISTS first_alert_at timestamptz,
    ADD COLUMN IF NOT EXISTS second_alert_at timestamptz,
    ADD COLUMN IF NOT EXISTS breached_at timestamptz;

DO $$
BEGIN
    -- ADD CONSTRAINT has no IF NOT EXISTS.
    IF NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'approval_levels'::regclass AND conname = 'approval_levels_alert_order_check'
    ) THEN
        ALTER TABLE approval_levels ADD CONSTRAINT approval_levels_alert_order_check
            CHECK (first_alert_at >= started_at
                   AND second_alert_at >= coalesce(first_alert_at, started_at)
                   AND breached_at >= coalesce(second_alert_at, first_alert_at, started_at));
    END IF;
END
$$;

CREATE INDEX IF NOT EXISTS approval_levels_alert_due_idx
    ON approval_levels (started_at) WHERE status = 'in_progress' AND breached_at IS NULL;

COMMENT ON COLUMN approval_levels.first_alert_at IS 'When the approver was first reminded (half of the time used, unless configured otherwise)';
COMMENT ON COLUMN approval_levels.second_alert_at IS 'When the approver was reminded again (three quarters used, unless configured otherwise)';
COMMENT ON COLUMN approval_levels.breached_at IS 'When it was noticed that all of the time is used; null if decided in time';
