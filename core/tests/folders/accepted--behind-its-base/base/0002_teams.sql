-- edited there
CREATE TABLE teams (id bigint);
