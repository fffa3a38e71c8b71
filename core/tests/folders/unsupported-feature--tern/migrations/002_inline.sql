select {{.column}}, a from people;
