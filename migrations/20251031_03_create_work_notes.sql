-- Work notes: the conversation about a request.

CREATE TABLE IF NOT EXISTS work_notes (
    id           uuid            PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id   uuid            NOT NULL REFERENCES workflow_requests (id) ON DELETE CASCADE,
    parent_id    uuid,
    author       email_address   NOT NULL,
    body         text            NOT NULL,
    mentions     email_address[] NOT NULL DEFAULT '{}',
    is_important boolean         NOT NULL DEFAULT false,
    created_at   timestamptz     NOT NULL DEFAULT CURRENT_TIMESTAMP,
    edited_at    timestamptz,
    deleted_at   timestamptz,
    -- 'simple', since notes are written in several languages.
    search       tsvector        NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED,

    CONSTRAINT work_notes_request_id_id_key UNIQUE (request_id, id),
    -- Both columns, so that a reply stays in the request of the note it answers.
    CONSTRAINT work_notes_parent_fkey FOREIGN KEY (request_id, parent_id)
        REFERENCES work_notes (request_id, id) ON DELETE CASCADE,
    CONSTRAINT work_notes_parent_check CHECK (parent_id <> id),
    CONSTRAINT work_notes_body_check CHECK (btrim(body) <> '' AND char_length(body) <= 10000),
    CONSTRAINT work_notes_edited_check CHECK (edited_at >= created_at),
    CONSTRAINT work_notes_deleted_check CHECK (deleted_at >= created_at)
);

CREATE INDEX IF NOT EXISTS work_notes_request_idx
    ON work_notes (request_id, created_at);
CREATE INDEX IF NOT EXISTS work_notes_parent_idx
    ON work_notes (request_id, parent_id) WHERE parent_id IS NOT NULL;
-- «Notes that mention me».
CREATE INDEX IF NOT EXISTS work_notes_mentions_idx
    ON work_notes USING gin (mentions) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS work_notes_search_idx
    ON work_notes USING gin (search) WHERE deleted_at IS NULL;

COMMENT ON TABLE work_notes IS 'The conversation about a request';
COMMENT ON COLUMN work_notes.parent_id IS 'The note that this one answers; of the same request';
COMMENT ON COLUMN work_notes.mentions IS 'Who is addressed by @name and gets a notification';
COMMENT ON COLUMN work_notes.deleted_at IS 'Shown as «deleted» from then on; replies keep their place';
