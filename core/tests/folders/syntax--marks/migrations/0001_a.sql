-- What a merge and joined files leave.
CREATE TABLE a (id int);
<<<<<<< HEAD
CREATE TABLE b (id int);
||||||| base
=======
CREATE TABLE c (
    id int,
>>>>>>> other
    name text
);
﻿SELECT 1;
