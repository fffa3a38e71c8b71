-- One view for each figure that the management page shows.

CREATE OR REPLACE VIEW kpi_request_status AS
SELECT status, count(request.id) AS requests, min(request.created_at) AS oldest_created_at
FROM unnest(enum_range(NULL::request_status)) AS status
LEFT JOIN workflow_requests AS request USING (status)
GROUP BY status
ORDER BY status;

CREATE OR REPLACE VIEW kpi_request_volume AS
SELECT
    -- Months of UTC, so that everybody sees the same figures whatever their session's time zone.
    date_trunc('month', submitted_at AT TIME ZONE 'UTC')::date AS month,
    priority,
    count(*) AS submitted,
    count(*) FILTER (WHERE status = 'approved') AS approved,
    count(*) FILTER (WHERE status = 'rejected') AS rejected,
    count(*) FILTER (WHERE status = 'withdrawn') AS withdrawn,
    count(*) FILTER (WHERE status = 'pending') AS pending
FROM workflow_requests
WHERE submitted_at IS NOT NULL
GROUP BY month, priority
ORDER BY month DESC, priority;

CREATE OR REPLACE VIEW kpi_cycle_time AS
SELECT
    priority,
    count(*) AS closed,
    round(avg(hours), 2) AS average_hours,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY hours)::numeric, 2) AS median_hours,
    round(percentile_cont(0.9) WITHIN GROUP (ORDER BY hours)::numeric, 2) AS p90_hours
FROM (
    SELECT priority, extract(epoch FROM closed_at - submitted_at) / 3600 AS hours
    FROM workflow_requests
    WHERE status IN ('approved', 'rejected')
) AS closed_request
GROUP BY priority
ORDER BY priority;

CREATE OR REPLACE VIEW kpi_tat_compliance AS
SELECT
    priority,
    count(*) AS decided_levels,
    count(*) FILTER (WHERE used <= tat_hours) AS within_tat,
    count(*) FILTER (WHERE used > tat_hours) AS breached,
    round(100.0 * count(*) FILTER (WHERE used <= tat_hours) / count(*), 1) AS compliance_percent,
    round(avg(used), 2) AS average_hours_used
FROM (
    SELECT request.priority, level.tat_hours,
           tat_hours_used(request.priority, level.started_at, level.decided_at) AS used
    FROM approval_levels AS level
    JOIN workflow_requests AS request ON request.id = level.request_id
    WHERE level.decided_at IS NOT NULL
) AS decided
GROUP BY priority
ORDER BY priority;

CREATE OR REPLACE VIEW kpi_approver_performance AS
SELECT
    approver,
    count(*) AS decided_levels,
    count(*) FILTER (WHERE status = 'approved') AS approved,
    count(*) FILTER (WHERE status = 'rejected') AS rejected,
    count(*) FILTER (WHERE used > tat_hours) AS breached,
    round(100.0 * count(*) FILTER (WHERE used <= tat_hours) / count(*), 1) AS compliance_percent,
    round(avg(used), 2) AS average_hours_used,
    max(decided_at) AS last_decided_at
FROM (
    SELECT level.approver, level.status, level.tat_hours, level.decided_at,
           tat_hours_used(request.priority, level.started_at, level.decided_at) AS used
    FROM approval_levels AS level
    JOIN workflow_requests AS request ON request.id = level.request_id
    WHERE level.decided_at IS NOT NULL
) AS decided
GROUP BY approver
ORDER BY compliance_percent, decided_levels DESC, approver;

CREATE OR REPLACE VIEW kpi_approver_workload AS
SELECT
    approver,
    count(*) FILTER (WHERE level.status = 'in_progress') AS in_progress,
    count(*) FILTER (WHERE level.status = 'waiting') AS waiting,
    min(level.started_at) AS oldest_started_at
FROM approval_levels AS level
JOIN workflow_requests AS request ON request.id = level.request_id
WHERE request.status = 'pending' AND level.status IN ('waiting', 'in_progress')
GROUP BY approver
ORDER BY in_progress DESC, waiting DESC, approver;

CREATE OR REPLACE VIEW kpi_overdue_levels AS
SELECT
    open_level.request_id, open_level.request_number, open_level.title, open_level.priority,
    open_level.level_number, open_level.approver, open_level.tat_hours,
    open_level.started_at, open_level.due_at,
    tat_hours_used(open_level.priority, open_level.due_at, CURRENT_TIMESTAMP) AS hours_overdue
FROM (
    SELECT request.id AS request_id, request.request_number, request.title, request.priority,
           level.level_number, level.approver, level.tat_hours, level.started_at,
           tat_due_at(request.priority, level.started_at, level.tat_hours) AS due_at
    FROM approval_levels AS level
    JOIN workflow_requests AS request ON request.id = level.request_id
    WHERE level.status = 'in_progress' AND request.status = 'pending'
) AS open_level
WHERE open_level.due_at < CURRENT_TIMESTAMP
ORDER BY open_level.due_at;

COMMENT ON VIEW kpi_request_status IS 'How many requests are in each status, those with none included';
COMMENT ON VIEW kpi_request_volume IS 'Requests by the month of their submission, and what became of them';
COMMENT ON VIEW kpi_cycle_time IS 'Clock hours from submission to decision';
COMMENT ON VIEW kpi_tat_compliance IS 'Share of decided levels that kept their turnaround time';
COMMENT ON VIEW kpi_approver_performance IS 'Decisions of each approver; the one who breaches most is first';
COMMENT ON VIEW kpi_approver_workload IS 'What lies with each approver now, and what is coming';
COMMENT ON VIEW kpi_overdue_levels IS 'Levels in progress whose turnaround time is used up; the longest overdue is first';
