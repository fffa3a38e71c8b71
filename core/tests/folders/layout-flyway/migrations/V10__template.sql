insert into PERSON (ID, NAME) values (3, '${name}');
