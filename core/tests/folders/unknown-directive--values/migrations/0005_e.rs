// dunlin: no-transaction
// dunlin: braking
pub async fn up(cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> {
    Ok(())
}
