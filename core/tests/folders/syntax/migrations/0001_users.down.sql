DORP TABLE users;
