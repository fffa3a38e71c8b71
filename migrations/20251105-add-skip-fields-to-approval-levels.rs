//! Lets an approval level say that it was skipped, when, by whom and why.
//!
//! In Rust because databases differ in what they already have: some got these columns by hand
//! before the application knew them. Each is looked for and added only where it is missing.

use dunlin::{Context, Result};

const TABLE: &str = "approval_levels";
const INDEX: &str = "approval_levels_skipped_idx";

/// Name, type and meaning.
const COLUMNS: [(&str, &str, &str); 4] = [
    ("is_skipped", "boolean NOT NULL DEFAULT false", "Passed over without a decision"),
    (
        "skipped_at",
        "timestamptz",
        "When it was passed over; null if that was before this was recorded",
    ),
    ("skipped_by", "email_address", "Who had it passed over"),
    ("skip_reason", "text", "Why, in the words of that person"),
];

pub async fn up(cx: &mut Context<'_>) -> Result<()> {
    if !cx.table_exists(TABLE).await? {
        cx.progress("No approval_levels table: nothing to do");
        return Ok(());
    }

    for (column, definition, meaning) in COLUMNS {
        if cx.column_exists(TABLE, column).await? {
            continue;
        }
        cx.batch_execute(&format!(
            "ALTER TABLE {TABLE} ADD COLUMN {column} {definition};
             COMMENT ON COLUMN {TABLE}.{column} IS '{meaning}'"
        ))
        .await?;
        cx.progress(format!("Added {column}"));
    }

    // Levels that were skipped while the status alone said so.
    let marked = cx
        .execute("UPDATE approval_levels SET is_skipped = true WHERE status = 'skipped' AND NOT is_skipped", &[])
        .await?;
    if marked > 0 {
        cx.progress(format!("Marked {marked} skipped level(s)"));
    }

    if !cx.index_exists(INDEX).await? {
        // Few levels are skipped: the index holds only those, for the report that lists them.
        cx.batch_execute(&format!("CREATE INDEX {INDEX} ON {TABLE} (skipped_at) WHERE is_skipped"))
            .await?;
        cx.progress(format!("Created {INDEX}"));
    }
    Ok(())
}

pub async fn down(cx: &mut Context<'_>) -> Result<()> {
    if !cx.table_exists(TABLE).await? {
        return Ok(());
    }
    cx.batch_execute(&format!("DROP INDEX IF EXISTS {INDEX}")).await?;
    for (column, ..) in COLUMNS.iter().rev() {
        cx.batch_execute(&format!("ALTER TABLE {TABLE} DROP COLUMN IF EXISTS {column}")).await?;
        cx.progress(format!("Dropped {column}"));
    }
    Ok(())
}
