pub async fn up(_cx: &mut dunlin::Context<'_>) -> dunlin::Result<()> {
    Ok(())
}
