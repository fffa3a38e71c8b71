---- tern: disable-tx ----
create index concurrently people_name on people (name);

---- create above / drop below ----
---- tern: disable-tx ----
drop index concurrently people_name;
