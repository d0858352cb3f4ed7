create role rdsadmin superuser;
create role rds_superuser;
create role rds_replication;
create role rds_iam;
create role customer login;
grant rds_superuser to customer;
