-- no-transaction
CREATE INDEX CONCURRENTLY sessions_user ON sessions (user_id);
