insert into PERSON (ID, NAME) values (2, 'Mr. Foo');
