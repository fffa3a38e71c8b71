/* dunlin: no-transaction */
CREATE TABLE d (id int);
