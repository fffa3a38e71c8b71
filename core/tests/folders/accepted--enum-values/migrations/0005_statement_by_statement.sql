-- dunlin: no-transaction
ALTER TYPE state ADD VALUE 'g';
UPDATE jobs SET status = 'g';
