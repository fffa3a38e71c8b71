ALTER TYPE state ADD VALUE 'f';
CREATE FUNCTION later() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE jobs SET status = 'f'; END $$;
