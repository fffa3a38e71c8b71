DROP VIEW IF EXISTS kpi_overdue_levels;
DROP VIEW IF EXISTS kpi_approver_workload;
DROP VIEW IF EXISTS kpi_approver_performance;
DROP VIEW IF EXISTS kpi_tat_compliance;
DROP VIEW IF EXISTS kpi_cycle_time;
DROP VIEW IF EXISTS kpi_request_volume;
DROP VIEW IF EXISTS kpi_request_status;
