ALTER TYPE status ADD VALUE IF NOT EXISTS 'paused' AFTER 'running';
INSERT INTO jobs (status) VALUES ('running'), ('paused');
UPDATE jobs SET status = 'paused';
