CREATE TABLE articles (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author_id uuid NOT NULL REFERENCES users (id),
    title text NOT NULL,
    body text NOT NULL DEFAULT ''
);
