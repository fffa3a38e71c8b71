-- What an administrator may set while the service runs. Above all: when people work, which is
-- what turnaround time is measured in.

CREATE TABLE IF NOT EXISTS admin_config (
    key         text          PRIMARY KEY,
    value       jsonb         NOT NULL,
    description text          NOT NULL,
    updated_by  email_address,
    updated_at  timestamptz   NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT admin_config_key_check CHECK (key ~ '^[a-z_]+(\.[a-z_]+)*$'),
    -- A value that cannot be used is refused when it is set, not at night when it is read. Both
    -- ends of the day are one value, because a check sees only one row.
    CONSTRAINT admin_config_business_hours_check
        CHECK (key <> 'tat.business_hours'
               OR coalesce(value ->> 'start' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'
                           AND value ->> 'end' ~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
                           AND value ->> 'start' COLLATE "C" < value ->> 'end', false)),
    CONSTRAINT admin_config_work_days_check
        CHECK (key <> 'tat.work_days'
               OR (jsonb_typeof(value) = 'array' AND value <> '[]' AND value <@ '[1, 2, 3, 4, 5, 6, 7]')),
    CONSTRAINT admin_config_alert_percents_check
        CHECK (key <> 'tat.alert_percents'
               OR coalesce((value ->> 'first')::integer > 0
                           AND (value ->> 'first')::integer < (value ->> 'second')::integer
                           AND (value ->> 'second')::integer < 100, false)),
    CONSTRAINT admin_config_max_size_mb_check
        CHECK (key <> 'documents.max_size_mb'
               OR (jsonb_typeof(value) = 'number' AND value > '0'))
);

CREATE OR REPLACE FUNCTION check_time_zone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    -- Fails with «time zone … not recognized». No constraint can ask this: the list of time zones
    -- belongs to the server's installation and changes with it.
    PERFORM CURRENT_TIMESTAMP AT TIME ZONE (NEW.value #>> '{}');
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER admin_config_check_time_zone
    BEFORE INSERT OR UPDATE ON admin_config
    FOR EACH ROW WHEN (NEW.key = 'tat.time_zone')
    EXECUTE FUNCTION check_time_zone();

CREATE OR REPLACE TRIGGER admin_config_touch
    BEFORE UPDATE ON admin_config
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION touch_updated_at();

-- Where the search path stood when this ran is where the function looks, whoever calls it.
CREATE OR REPLACE FUNCTION admin_config_value(wanted text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    found_value jsonb;
BEGIN
    SELECT value INTO found_value FROM admin_config WHERE key = wanted;
    IF NOT FOUND THEN
        -- A silent default would make deadlines wrong without anybody noticing.
        RAISE EXCEPTION 'admin_config has no row %', quote_literal(wanted)
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN found_value;
END
$$;

-- Run again, this leaves alone what an administrator has set.
INSERT INTO admin_config (key, value, description) VALUES
    ('tat.time_zone', '"UTC"', 'Time zone of the business hours, by its IANA name'),
    ('tat.business_hours', '{"start": "09:00", "end": "18:00"}', 'Turnaround time of standard requests runs between these'),
    ('tat.work_days', '[1, 2, 3, 4, 5]', 'Days of the week that are worked on, 1 for Monday'),
    ('tat.alert_percents', '{"first": 50, "second": 75}', 'Shares of the turnaround time at which the approver is reminded'),
    ('documents.max_size_mb', '25', 'Largest document that may be uploaded')
ON CONFLICT (key) DO NOTHING;

COMMENT ON TABLE admin_config IS 'What an administrator may set while the service runs';
COMMENT ON COLUMN admin_config.updated_by IS 'Who set it; null while it has the value it was delivered with';
COMMENT ON FUNCTION check_time_zone() IS 'Trigger: refuses a time zone that this server does not know';
COMMENT ON FUNCTION admin_config_value(text) IS 'The value of a key; an error if there is none';
