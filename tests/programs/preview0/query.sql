create table keep (name text, height integer);
insert into keep values ('donjon', 52), ('tower', 30), ('gate', 12);
select sum(height), group_concat(name) from (select * from keep order by height);
select name from keep where height > 20 order by name;
