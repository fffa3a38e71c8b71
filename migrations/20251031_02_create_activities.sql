-- Activities: what happened to a request. Entries are added and never changed.

DO $$
BEGIN
    CREATE TYPE activity_kind AS ENUM (
        'created', 'submitted', 'level_started', 'approved', 'rejected', 'skipped', 'withdrawn', 'closed',
        'participant_added', 'document_added', 'document_deleted', 'commented', 'tat_alert'
    );
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

CREATE TABLE IF NOT EXISTS activities (
    id           bigint        PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    request_id   uuid          NOT NULL REFERENCES workflow_requests (id) ON DELETE CASCADE,
    level_number smallint,
    kind         activity_kind NOT NULL,
    actor        email_address,
    details      jsonb         NOT NULL DEFAULT '{}',
    occurred_at  timestamptz   NOT NULL DEFAULT CURRENT_TIMESTAMP,

    -- Both columns, so that an entry cannot name a level of another request.
    CONSTRAINT activities_level_fkey FOREIGN KEY (request_id, level_number)
        REFERENCES approval_levels (request_id, level_number) ON DELETE CASCADE,
    CONSTRAINT activities_details_check CHECK (jsonb_typeof(details) = 'object')
);

-- The timeline of a request; serves its foreign key too.
CREATE INDEX IF NOT EXISTS activities_request_idx
    ON activities (request_id, occurred_at, id);
CREATE INDEX IF NOT EXISTS activities_level_idx
    ON activities (request_id, level_number) WHERE level_number IS NOT NULL;
CREATE INDEX IF NOT EXISTS activities_actor_idx
    ON activities (actor, occurred_at DESC) WHERE actor IS NOT NULL;

CREATE OR REPLACE FUNCTION refuse_update() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
              HINT = 'Add a row that corrects the earlier one.';
END
$$;

CREATE OR REPLACE TRIGGER activities_refuse_update
    BEFORE UPDATE ON activities
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_update();

COMMENT ON FUNCTION refuse_update() IS 'Trigger: keeps a table append-only';
COMMENT ON TABLE activities IS 'What happened to a request; entries are added and never changed';
COMMENT ON COLUMN activities.level_number IS 'The level it happened at; null if it concerns the whole request';
COMMENT ON COLUMN activities.actor IS 'Who did it; null for the system itself';
