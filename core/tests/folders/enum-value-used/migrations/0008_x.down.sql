ALTER TYPE status ADD VALUE 'back';
UPDATE jobs SET status = $$back$$;
