drop table dated;
