ALTER TYPE status ADD VALUE 'it''s';
-- not 'it''s' here
ALTER TABLE jobs ADD CHECK (status <> E'it''s');
