-- Tamper evidence: a MAC per row of weight, a sealed digest per table, and a MAC over the row of the cluster, which holds
-- both chains and vouches for the digests. They are computed by Countersign when it opens the database after this.
create table evidence (
  name text collate "C" constraint evidence_name primary key,
  row_count bigint not null,
  tag bytea not null check (length(tag) = 32),
  digest bytea not null check (length(digest) = 32)
);

alter table cluster add column schema_hash bytea;
alter table cluster add column mac bytea;
alter table change_log add column mac bytea;

alter table accounts add column mac bytea;
alter table addresses add column mac bytea;
alter table bootstrap add column mac bytea;
alter table catalogs add column mac bytea;
alter table devices add column mac bytea;
alter table gateways add column mac bytea;
alter table installation_keys add column mac bytea;
alter table invitations add column mac bytea;
alter table key_generations add column mac bytea;
alter table members add column mac bytea;
alter table people add column mac bytea;
alter table platform_credentials add column mac bytea;
alter table remembered add column mac bytea;
alter table secrets add column mac bytea;
alter table sessions add column mac bytea;
alter table tokens add column mac bytea;
alter table unsubscribed add column mac bytea;
alter table webhooks add column mac bytea;
