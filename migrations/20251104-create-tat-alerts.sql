-- TAT alerts: what was sent to whom because a level's turnaround time was running out.

DO $$
BEGIN
    CREATE TYPE tat_alert_kind AS ENUM ('first_reminder', 'second_reminder', 'breach');
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

CREATE TABLE IF NOT EXISTS tat_alerts (
    id              bigint               PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    level_id        uuid                 NOT NULL REFERENCES approval_levels (id) ON DELETE CASCADE,
    kind            tat_alert_kind       NOT NULL,
    recipient       email_address        NOT NULL,
    channel         notification_channel NOT NULL,
    hours_used      numeric(8, 2)        NOT NULL,
    due_at          timestamptz          NOT NULL,
    sent_at         timestamptz          NOT NULL DEFAULT CURRENT_TIMESTAMP,
    acknowledged_at timestamptz,

    -- Two schedulers that see the same level send one alert. Serves the foreign key too.
    CONSTRAINT tat_alerts_once_key UNIQUE (level_id, kind, recipient, channel),
    CONSTRAINT tat_alerts_hours_used_check CHECK (hours_used >= 0),
    CONSTRAINT tat_alerts_acknowledged_check CHECK (acknowledged_at >= sent_at)
);

CREATE INDEX IF NOT EXISTS tat_alerts_unread_idx
    ON tat_alerts (recipient, sent_at DESC) WHERE acknowledged_at IS NULL;

-- Not with the other figures: their migration comes before this table.
CREATE OR REPLACE VIEW kpi_tat_alerts AS
SELECT
    kind,
    count(alert.id) AS sent,
    count(alert.acknowledged_at) AS acknowledged,
    round(avg(extract(epoch FROM alert.acknowledged_at - alert.sent_at) / 3600), 2) AS average_hours_to_acknowledge
FROM unnest(enum_range(NULL::tat_alert_kind)) AS kind
LEFT JOIN tat_alerts AS alert USING (kind)
GROUP BY kind
ORDER BY kind;

COMMENT ON TABLE tat_alerts IS 'What was sent to whom because a level''s turnaround time was running out';
COMMENT ON COLUMN tat_alerts.hours_used IS 'Turnaround time used when it was sent';
COMMENT ON COLUMN tat_alerts.due_at IS 'When the level was due, by the calendar as it was then';
COMMENT ON VIEW kpi_tat_alerts IS 'How many alerts of each kind went out, and how soon they were read';
