// A comment.
// dunlin: breaking
// dunlin: lock-timeout off
pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> {
    Ok(())
}
