-- Prisma 6.
CREATE TABLE _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
);
INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at, applied_steps_count) VALUES
    ('0c7e3a51-6d0a-4f3c-9c0e-000000000001', '4080d474aec016a02e6fac41e775989afa5d6461707f05519c866d0e0cf5e3ad', '2024-03-01 08:30:00+00', '20240301083000_users', NULL, NULL, '2024-03-01 08:29:58+00', 1),
    ('0c7e3a51-6d0a-4f3c-9c0e-000000000002', 'b1fc40609ef78fd127529e5c79de30ab3a1c8ba5450eed65097c6801bd5ab491', NULL, '20240302083000_teams', 'Database error code: 42P01', '2024-03-02 08:20:00+00', '2024-03-02 08:10:00+00', 0),
    ('0c7e3a51-6d0a-4f3c-9c0e-000000000003', 'b1fc40609ef78fd127529e5c79de30ab3a1c8ba5450eed65097c6801bd5ab491', '2024-03-02 08:30:00+00', '20240302083000_teams', NULL, NULL, '2024-03-02 08:29:59.5+00', 1);
