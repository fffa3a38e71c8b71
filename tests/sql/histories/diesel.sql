-- diesel 2.3.
CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
    version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO __diesel_schema_migrations (version, run_on) VALUES
    ('20240302083000', '2024-03-02 08:30:00'), ('20240301083000', '2024-03-01 08:30:00');
