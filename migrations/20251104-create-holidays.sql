-- Holidays, and the functions that measure turnaround time: business hours by the configuration,
-- without weekends and holidays; clock hours for express requests.

DO $$
BEGIN
    CREATE TYPE holiday_kind AS ENUM ('national', 'regional', 'company', 'optional');
EXCEPTION
    WHEN duplicate_object THEN NULL;
END
$$;

CREATE TABLE IF NOT EXISTS holidays (
    holiday_date date          PRIMARY KEY,
    name         text          NOT NULL,
    kind         holiday_kind  NOT NULL DEFAULT 'company',
    is_yearly    boolean       NOT NULL DEFAULT false,
    created_by   email_address,
    created_at   timestamptz   NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT holidays_name_check CHECK (btrim(name) <> '')
);

-- A date that comes back each year is looked up by month and day.
CREATE INDEX IF NOT EXISTS holidays_yearly_idx
    ON holidays ((extract(month FROM holiday_date)), (extract(day FROM holiday_date))) WHERE is_yearly;

CREATE OR REPLACE FUNCTION is_holiday(on_date date) RETURNS boolean
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT EXISTS (SELECT FROM holidays WHERE holiday_date = on_date AND kind <> 'optional')
        OR EXISTS (
            SELECT FROM holidays
            WHERE is_yearly
              AND extract(month FROM holiday_date) = extract(month FROM on_date)
              AND extract(day FROM holiday_date) = extract(day FROM on_date)
              AND holiday_date < on_date
              AND kind <> 'optional'
        )
$$;

-- A range of points in time, not of clock readings: the day on which the clocks change is an hour
-- longer or shorter if the change falls within business hours.
CREATE OR REPLACE FUNCTION business_hours(on_date date) RETURNS tstzrange
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    zone   text := admin_config_value('tat.time_zone') #>> '{}';
    opened jsonb := admin_config_value('tat.business_hours');
BEGIN
    IF NOT admin_config_value('tat.work_days') @> to_jsonb(extract(isodow FROM on_date)::integer)
       OR is_holiday(on_date)
    THEN
        RETURN 'empty';
    END IF;
    RETURN tstzrange(
        (on_date + (opened ->> 'start')::interval) AT TIME ZONE zone,
        (on_date + (opened ->> 'end')::interval) AT TIME ZONE zone
    );
END
$$;

CREATE OR REPLACE FUNCTION working_hours_between(from_time timestamptz, to_time timestamptz) RETURNS numeric
LANGUAGE sql STABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT coalesce(round(extract(epoch FROM sum(upper(worked) - lower(worked))) / 3600, 2), 0)
    FROM (SELECT admin_config_value('tat.time_zone') #>> '{}' AS zone) AS config
    CROSS JOIN LATERAL generate_series(
        date_trunc('day', from_time AT TIME ZONE zone),
        date_trunc('day', to_time AT TIME ZONE zone),
        '1 day'
    ) AS local_day
    CROSS JOIN LATERAL (
        SELECT business_hours(local_day::date) * tstzrange(from_time, greatest(from_time, to_time)) AS worked
    ) AS part
$$;

CREATE OR REPLACE FUNCTION tat_hours_used(
    priority request_priority, from_time timestamptz, to_time timestamptz
) RETURNS numeric
LANGUAGE sql STABLE STRICT SET search_path FROM CURRENT AS $$
    SELECT CASE priority
        WHEN 'express' THEN round(extract(epoch FROM greatest(to_time - from_time, '0')) / 3600, 2)
        ELSE working_hours_between(from_time, to_time)
    END
$$;

CREATE OR REPLACE FUNCTION tat_due_at(
    priority request_priority, from_time timestamptz, tat_hours integer
) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT SET search_path FROM CURRENT AS $$
DECLARE
    zone      text := admin_config_value('tat.time_zone') #>> '{}';
    first_day date := (from_time AT TIME ZONE zone)::date;
    remaining interval := make_interval(hours => tat_hours);
    workable  tstzrange;
BEGIN
    IF priority = 'express' THEN
        RETURN from_time + remaining;
    END IF;
    -- Ten years: so that a calendar full of holidays ends in an error and not in an endless loop.
    FOR day_offset IN 0..3660 LOOP
        workable := business_hours(first_day + day_offset) * tstzrange(from_time, NULL);
        CONTINUE WHEN isempty(workable);
        IF upper(workable) - lower(workable) >= remaining THEN
            RETURN lower(workable) + remaining;
        END IF;
        remaining := remaining - (upper(workable) - lower(workable));
    END LOOP;
    RAISE EXCEPTION 'no % business hours within ten years of %', tat_hours, from_time
        USING HINT = 'Look at tat.business_hours and tat.work_days in admin_config, and at holidays.';
END
$$;

COMMENT ON TABLE holidays IS 'Days on which no turnaround time runs for standard requests';
COMMENT ON COLUMN holidays.kind IS 'An optional holiday is shown in calendars, and turnaround time runs on it';
COMMENT ON COLUMN holidays.is_yearly IS 'Comes back each year on that month and day, from that year on';
COMMENT ON FUNCTION is_holiday(date) IS 'Whether no work is done on that date because of a holiday';
COMMENT ON FUNCTION business_hours(date) IS 'When work is done on that date; empty on weekends and holidays';
COMMENT ON FUNCTION working_hours_between(timestamptz, timestamptz) IS 'Business hours from one point in time to another, to two decimals';
COMMENT ON FUNCTION tat_hours_used(request_priority, timestamptz, timestamptz) IS 'Turnaround time from one point in time to another: clock hours if express, else business hours';
COMMENT ON FUNCTION tat_due_at(request_priority, timestamptz, integer) IS 'The end of so many hours of turnaround time';
