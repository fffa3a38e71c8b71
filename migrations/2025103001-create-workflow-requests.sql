-- Workflow requests: what somebody asks for and others approve, level by level.
--
-- Every statement of these files can be run again where it has run before, because a person may
-- delete a row of the tracking table to have a migration run once more.

DO $$
BEGIN
    CREATE TYPE request_status AS ENUM ('draft', 'pending', 'approved', 'rejected', 'withdrawn');
EXCEPTION
    -- CREATE TYPE has no IF NOT EXISTS. The error is precise about the schema, which a look into
    -- pg_type is not when the search path has several.
    WHEN duplicate_object THEN NULL;
END
$$;

DO $$
BEGIN
    CREATE TYPE request_priority AS ENUM ('standard', 'express');
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

-- People are known by the address their identity provider gives; there is no table of users here.
-- One spelling for each person, or the same approver would be counted twice.
DO $$
BEGIN
    CREATE DOMAIN email_address AS text
        CONSTRAINT email_address_form CHECK (VALUE = lower(VALUE) AND VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

CREATE TABLE IF NOT EXISTS workflow_requests (
    id             uuid             PRIMARY KEY DEFAULT gen_random_uuid(),
    request_number bigint           NOT NULL GENERATED ALWAYS AS IDENTITY,
    title          text             NOT NULL,
    description    text             NOT NULL DEFAULT '',
    initiator      email_address    NOT NULL,
    department     text,
    priority       request_priority NOT NULL DEFAULT 'standard',
    status         request_status   NOT NULL DEFAULT 'draft',
    submitted_at   timestamptz,
    closed_at      timestamptz,
    conclusion     text,
    created_at     timestamptz      NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at     timestamptz      NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT workflow_requests_request_number_key UNIQUE (request_number),
    CONSTRAINT workflow_requests_title_check
        CHECK (btrim(title) <> '' AND char_length(title) <= 200),
    CONSTRAINT workflow_requests_department_check
        CHECK (btrim(department) <> ''),
    CONSTRAINT workflow_requests_submitted_check
        CHECK ((status = 'draft') = (submitted_at IS NULL)),
    CONSTRAINT workflow_requests_closed_check
        CHECK ((status IN ('approved', 'rejected', 'withdrawn')) = (closed_at IS NOT NULL)),
    CONSTRAINT workflow_requests_closed_after_submitted_check
        CHECK (closed_at >= submitted_at)
);

-- Lists are paged by number, newest first: all of them by the key above, one status by this.
CREATE INDEX IF NOT EXISTS workflow_requests_status_idx
    ON workflow_requests (status, request_number DESC);
CREATE INDEX IF NOT EXISTS workflow_requests_initiator_idx
    ON workflow_requests (initiator, request_number DESC);
-- For reports over a period. Drafts have no such time and are in no report.
CREATE INDEX IF NOT EXISTS workflow_requests_submitted_at_idx
    ON workflow_requests (submitted_at) WHERE submitted_at IS NOT NULL;

CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;

-- An UPDATE that changes nothing leaves the time of the last change alone.
CREATE OR REPLACE TRIGGER workflow_requests_touch
    BEFORE UPDATE ON workflow_requests
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION touch_updated_at();

COMMENT ON DOMAIN email_address IS 'A person, by the address that the identity provider gives, in lower case';
COMMENT ON TYPE request_priority IS 'Turnaround time runs in business hours for standard, around the clock for express';
COMMENT ON FUNCTION touch_updated_at() IS 'Trigger: writes the time of the change into updated_at';
COMMENT ON TABLE workflow_requests IS 'What somebody asks for and others approve, level by level';
COMMENT ON COLUMN workflow_requests.request_number IS 'The number people quote; also the order of lists';
COMMENT ON COLUMN workflow_requests.submitted_at IS 'When it left draft; null exactly while it is a draft';
COMMENT ON COLUMN workflow_requests.closed_at IS 'When it was approved, rejected or withdrawn; null until then';
COMMENT ON COLUMN workflow_requests.conclusion IS 'The closing remark that the initiator reads';
