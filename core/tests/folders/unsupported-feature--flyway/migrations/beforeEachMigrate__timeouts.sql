set lock_timeout = '1s';
