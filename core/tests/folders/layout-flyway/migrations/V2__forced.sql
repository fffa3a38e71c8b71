vacuum PERSON;
