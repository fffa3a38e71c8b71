INSERT INTO users (username, email) VALUES ('a', 'a@example.org');
