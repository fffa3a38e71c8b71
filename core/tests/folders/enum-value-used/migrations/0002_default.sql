ALTER TYPE app.status ADD VALUE 'late';
ALTER TABLE jobs ALTER COLUMN status SET DEFAULT 'late'::app.status;
