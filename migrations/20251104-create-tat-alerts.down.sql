DROP VIEW IF EXISTS kpi_tat_alerts;
DROP TABLE IF EXISTS tat_alerts;
DROP TYPE IF EXISTS tat_alert_kind;
