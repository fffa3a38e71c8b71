pub async fn up() {}
pub async fn down() {}
