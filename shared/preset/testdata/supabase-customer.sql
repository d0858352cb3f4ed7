-- What a customer does with it.
create table public.profiles (id int primary key references auth.users (id), name extensions.citext);
alter table public.profiles enable row level security;
create policy own on public.profiles to authenticated using (id = auth.uid());
grant select on public.profiles to anon, authenticated;
create function public.handle_new_user() returns trigger language plpgsql as 'begin insert into public.profiles values (new.id, new.email); return new; end';
create trigger on_auth_user_created after insert on auth.users for each row execute function public.handle_new_user();
create policy own_files on storage.objects to authenticated using (owner_id = auth.uid());
create view public.emails as select u.email from auth.users u;
alter publication supabase_realtime add table public.profiles;
insert into auth.users values (1, 'Ana@example.com'), (2, 'bia@example.com');
-- More of them than users: larger tables are restored first.
insert into auth.refresh_tokens (user_id) select n % 2 + 1 from generate_series(1, 300) n;
insert into storage.objects values (1, 1);
-- The dashboard once made tables as the platform's superuser.
create table public.made_in_dashboard (id int);
insert into public.made_in_dashboard values (1);
alter table public.made_in_dashboard owner to supabase_admin;
grant select on public.made_in_dashboard to customer;
