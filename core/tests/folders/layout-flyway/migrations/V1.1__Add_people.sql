insert into PERSON (ID, NAME) values (1, 'Axel');
