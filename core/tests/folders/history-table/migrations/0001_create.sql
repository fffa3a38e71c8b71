CREATE TABLE IF NOT EXISTS migrations (id int);
