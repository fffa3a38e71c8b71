-- Subscriptions: who wants to hear of a request, and by which way.

DO $$
BEGIN
    CREATE TYPE notification_channel AS ENUM ('email', 'in_app', 'web_push');
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

CREATE TABLE IF NOT EXISTS subscriptions (
    id          bigint               PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    request_id  uuid                 NOT NULL REFERENCES workflow_requests (id) ON DELETE CASCADE,
    subscriber  email_address        NOT NULL,
    channel     notification_channel NOT NULL,
    endpoint    text,
    muted_until timestamptz,
    created_at  timestamptz          NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT subscriptions_endpoint_check
        CHECK ((channel = 'web_push') = (endpoint IS NOT NULL)),
    CONSTRAINT subscriptions_endpoint_form_check CHECK (endpoint ~ '^https://')
);

-- One for each person and channel, but one for each of a person's browsers. NULLS NOT DISTINCT
-- would say this as a constraint, but needs PostgreSQL 15. Serves the foreign key too.
CREATE UNIQUE INDEX IF NOT EXISTS subscriptions_once_idx
    ON subscriptions (request_id, subscriber, channel, coalesce(endpoint, ''));
CREATE INDEX IF NOT EXISTS subscriptions_subscriber_idx
    ON subscriptions (subscriber);

COMMENT ON TABLE subscriptions IS 'Who wants to hear of a request, and by which way';
COMMENT ON COLUMN subscriptions.endpoint IS 'Address of the browser''s push service; only for web_push';
COMMENT ON COLUMN subscriptions.muted_until IS 'Nothing is sent before this time; ''infinity'' mutes for good';
