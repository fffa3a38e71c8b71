-- Participants: who may see a request, and in what part.

DO $$
BEGIN
    CREATE TYPE participant_role AS ENUM ('initiator', 'approver', 'spectator');
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

CREATE TABLE IF NOT EXISTS participants (
    request_id  uuid             NOT NULL REFERENCES workflow_requests (id) ON DELETE CASCADE,
    person      email_address    NOT NULL,
    role        participant_role NOT NULL,
    can_comment boolean          NOT NULL DEFAULT true,
    added_by    email_address    NOT NULL,
    added_at    timestamptz      NOT NULL DEFAULT CURRENT_TIMESTAMP,

    -- The role belongs to the key: an initiator may also be an approver of another level.
    CONSTRAINT participants_pkey PRIMARY KEY (request_id, person, role)
);

-- «Requests that concern me».
CREATE INDEX IF NOT EXISTS participants_person_idx
    ON participants (person, role, request_id);
-- A request has one initiator.
CREATE UNIQUE INDEX IF NOT EXISTS participants_one_initiator_idx
    ON participants (request_id) WHERE role = 'initiator';

COMMENT ON TABLE participants IS 'Who may see a request, and in what part';
COMMENT ON COLUMN participants.can_comment IS 'May write work notes';
