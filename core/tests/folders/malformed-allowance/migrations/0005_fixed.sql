-- dunlin: allow transaction-control: it is meant
SELECT 1;
