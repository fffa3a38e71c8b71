create user ${app_user};
-- ${in_a_comment}
grant select on all tables in schema public to ${app_user};
insert into settings values ('${flyway:timestamp}');
