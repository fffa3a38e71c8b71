CREATE TABLE persons (id int PRIMARY KEY, name varchar(255), city varchar(255));
