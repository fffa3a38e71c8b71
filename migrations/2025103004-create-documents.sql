-- Documents: what is known of the files of a request. The bytes are in object storage.

DO $$
BEGIN
    CREATE TYPE document_category AS ENUM ('supporting', 'quotation', 'policy', 'decision', 'other');
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

CREATE TABLE IF NOT EXISTS documents (
    id           uuid              PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id   uuid              NOT NULL REFERENCES workflow_requests (id) ON DELETE CASCADE,
    file_name    text              NOT NULL,
    revision     integer           NOT NULL DEFAULT 1,
    category     document_category NOT NULL DEFAULT 'supporting',
    content_type text              NOT NULL,
    size_bytes   bigint            NOT NULL,
    sha256       bytea             NOT NULL,
    storage_key  text              NOT NULL,
    uploaded_by  email_address     NOT NULL,
    uploaded_at  timestamptz       NOT NULL DEFAULT CURRENT_TIMESTAMP,
    deleted_by   email_address,
    deleted_at   timestamptz,

    -- Serves the foreign key too.
    CONSTRAINT documents_request_id_file_name_revision_key UNIQUE (request_id, file_name, revision),
    CONSTRAINT documents_storage_key_key UNIQUE (storage_key),
    CONSTRAINT documents_file_name_check
        CHECK (file_name <> '' AND char_length(file_name) <= 255 AND file_name !~ '[/\\]'),
    CONSTRAINT documents_revision_check CHECK (revision > 0),
    CONSTRAINT documents_content_type_check CHECK (content_type ~ '^[a-z]+/[^[:space:]]+$'),
    CONSTRAINT documents_size_bytes_check CHECK (size_bytes > 0),
    CONSTRAINT documents_sha256_check CHECK (octet_length(sha256) = 32),
    CONSTRAINT documents_deleted_check CHECK ((deleted_at IS NULL) = (deleted_by IS NULL))
);

CREATE INDEX IF NOT EXISTS documents_present_idx
    ON documents (request_id, uploaded_at DESC) WHERE deleted_at IS NULL;
-- For the job that removes the bytes of deleted documents from storage.
CREATE INDEX IF NOT EXISTS documents_deleted_idx
    ON documents (deleted_at) WHERE deleted_at IS NOT NULL;

COMMENT ON TABLE documents IS 'The files of a request; their bytes are in object storage';
COMMENT ON COLUMN documents.revision IS 'From 1; a new upload under the same name is the next revision';
COMMENT ON COLUMN documents.sha256 IS 'Of the bytes, to notice a damaged or exchanged file';
COMMENT ON COLUMN documents.storage_key IS 'Where the bytes are, in the object store''s own terms';
