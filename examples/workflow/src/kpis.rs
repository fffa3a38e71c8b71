//! The figures of the management page: every KPI view, as it is.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

/// Each is the view `kpi_<name>`.
const VIEWS: [&str; 8] = [
    "request_status",
    "request_volume",
    "cycle_time",
    "tat_compliance",
    "approver_performance",
    "approver_workload",
    "overdue_levels",
    "tat_alerts",
];

/// All figures as the text of one JSON object, the view's name without `kpi_` before its rows.
///
/// One statement, so that all figures are of one moment. The database makes the JSON: a column that
/// a migration adds to a view needs no change here.
///
/// # Errors
///
/// Those of the database.
pub async fn all(client: &impl GenericClient) -> Result<String, Error> {
    let members = VIEWS.map(|name| {
        format!(
            "'{name}', (SELECT coalesce(json_agg(row_to_json(kpi)), '[]') FROM kpi_{name} AS kpi)"
        )
    });
    let sql = format!("SELECT json_build_object({})::text", members.join(", "));
    client.query_one(&sql, &[]).await?.try_get(0)
}
