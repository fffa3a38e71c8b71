-- one statement: it runs outside a transaction
CREATE INDEX CONCURRENTLY users_email ON users (email);
