create role supabase_admin superuser;
create role authenticator noinherit;
create role anon;
create role authenticated;
create role service_role bypassrls;
create role supabase_auth_admin;
create role supabase_storage_admin;
create role customer login createrole;
