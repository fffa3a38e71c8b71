INSERT INTO posts (title, body) VALUES ('hello', 'world');
