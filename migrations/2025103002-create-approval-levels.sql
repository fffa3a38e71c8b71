-- Approval levels: the steps a request passes, in order, each with one approver and a number of
-- hours (turnaround time, TAT) to decide in.

DO $$
BEGIN
    CREATE TYPE level_status AS ENUM ('waiting', 'in_progress', 'approved', 'rejected', 'skipped');
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

CREATE TABLE IF NOT EXISTS approval_levels (
    id           uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id   uuid          NOT NULL REFERENCES workflow_requests (id) ON DELETE CASCADE,
    level_number smallint      NOT NULL,
    level_name   text          NOT NULL DEFAULT '',
    approver     email_address NOT NULL,
    tat_hours    integer       NOT NULL,
    status       level_status  NOT NULL DEFAULT 'waiting',
    started_at   timestamptz,
    decided_at   timestamptz,
    remarks      text,
    created_at   timestamptz   NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at   timestamptz   NOT NULL DEFAULT CURRENT_TIMESTAMP,

    -- Serves the foreign key too: its first column is the one that refers.
    CONSTRAINT approval_levels_request_id_level_number_key UNIQUE (request_id, level_number),
    CONSTRAINT approval_levels_level_number_check CHECK (level_number BETWEEN 1 AND 20),
    CONSTRAINT approval_levels_tat_hours_check CHECK (tat_hours BETWEEN 1 AND 2000),
    CONSTRAINT approval_levels_started_check
        CHECK (CASE status
                   WHEN 'waiting' THEN started_at IS NULL
                   WHEN 'skipped' THEN true
                   ELSE started_at IS NOT NULL
               END),
    CONSTRAINT approval_levels_decided_check
        CHECK ((status IN ('approved', 'rejected')) = (decided_at IS NOT NULL)),
    CONSTRAINT approval_levels_decided_after_started_check CHECK (decided_at >= started_at),
    CONSTRAINT approval_levels_rejection_has_remarks_check
        CHECK (status <> 'rejected' OR btrim(coalesce(remarks, '')) <> '')
);

-- At most one level of a request is in progress: two approvers who decide at the same moment
-- cannot both move it on, whatever the application does.
CREATE UNIQUE INDEX IF NOT EXISTS approval_levels_one_in_progress_idx
    ON approval_levels (request_id) WHERE status = 'in_progress';
-- An approver's inbox.
CREATE INDEX IF NOT EXISTS approval_levels_inbox_idx
    ON approval_levels (approver, started_at) WHERE status = 'in_progress';
-- An approver's past decisions, for the figures.
CREATE INDEX IF NOT EXISTS approval_levels_decided_idx
    ON approval_levels (approver, decided_at) WHERE decided_at IS NOT NULL;

CREATE OR REPLACE TRIGGER approval_levels_touch
    BEFORE UPDATE ON approval_levels
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION touch_updated_at();

COMMENT ON TABLE approval_levels IS 'The steps a request passes, in order, each with one approver';
COMMENT ON COLUMN approval_levels.level_number IS 'Place in the order, from 1';
COMMENT ON COLUMN approval_levels.tat_hours IS 'Hours to decide in: business hours, or clock hours if the request is express';
COMMENT ON COLUMN approval_levels.started_at IS 'When its turn came; the turnaround time runs from here';
COMMENT ON COLUMN approval_levels.remarks IS 'What the approver says; required with a rejection';
