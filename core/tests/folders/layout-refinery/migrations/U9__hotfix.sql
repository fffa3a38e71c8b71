UPDATE persons SET city = 'unknown' WHERE city IS NULL;
