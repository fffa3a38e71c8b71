-- Attachments of work notes. Like documents, but they live and die with their note.

CREATE TABLE IF NOT EXISTS work_note_attachments (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    note_id      uuid        NOT NULL REFERENCES work_notes (id) ON DELETE CASCADE,
    file_name    text        NOT NULL,
    content_type text        NOT NULL,
    size_bytes   bigint      NOT NULL,
    sha256       bytea       NOT NULL,
    storage_key  text        NOT NULL,
    attached_at  timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT work_note_attachments_storage_key_key UNIQUE (storage_key),
    CONSTRAINT work_note_attachments_file_name_check
        CHECK (file_name <> '' AND char_length(file_name) <= 255 AND file_name !~ '[/\\]'),
    CONSTRAINT work_note_attachments_content_type_check CHECK (content_type ~ '^[a-z]+/[^[:space:]]+$'),
    CONSTRAINT work_note_attachments_size_bytes_check CHECK (size_bytes > 0),
    CONSTRAINT work_note_attachments_sha256_check CHECK (octet_length(sha256) = 32)
);

CREATE INDEX IF NOT EXISTS work_note_attachments_note_idx
    ON work_note_attachments (note_id);

COMMENT ON TABLE work_note_attachments IS 'Files attached to a work note; their bytes are in object storage';
COMMENT ON COLUMN work_note_attachments.storage_key IS 'Where the bytes are, in the object store''s own terms';
