create table people(id int);
{{ template "shared/v1_001.sql" . }}
grant select on people to {{.app_user}};
---- create above / drop below ----
drop table people;
