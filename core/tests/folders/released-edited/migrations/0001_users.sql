CREATE TABLE users (
    id uuid
);
