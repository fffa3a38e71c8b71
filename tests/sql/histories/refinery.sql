-- refinery 0.10.
CREATE TABLE IF NOT EXISTS refinery_schema_history(
    version INT4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255));
INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES
    (1, 'users', '2024-03-01T08:30:00.123456789Z', '8934947250831062968'),
    (2, 'teams', '2024-03-02T10:30:00.5+02:00', '1251259108160133608');
