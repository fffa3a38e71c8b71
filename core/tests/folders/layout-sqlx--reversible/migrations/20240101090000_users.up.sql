-- Add up migration script here
CREATE TABLE users (id bigint PRIMARY KEY, name text);
