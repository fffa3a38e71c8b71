CREATE TABLE t (
    id int,
    cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc int,
    CONSTRAINT ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd CHECK (id > 0)
);
