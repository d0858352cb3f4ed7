update members set name = 'Renamed', changed = now() where id <= 3;
insert into members values (301, 'New');
delete from visits where member = 1;
select lo_put(70001, 4, convert_to('STATUTES', 'UTF8'));
