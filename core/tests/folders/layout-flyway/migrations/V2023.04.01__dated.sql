create table dated (id int);
