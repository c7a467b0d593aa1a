-- Tamper evidence: a MAC per row of weight, a sealed digest per table, and a MAC over the row of the cluster, which holds
-- both chains and vouches for the digests. They are computed by Countersign when it opens the database after this.
create table evidence (
  name text primary key,
  row_count integer not null,
  tag blob not null check (length(tag) = 32),
  digest blob not null check (length(digest) = 32)
) strict, without rowid;

alter table cluster add column schema_hash blob;
alter table cluster add column mac blob;
alter table change_log add column mac blob;

alter table accounts add column mac blob;
alter table addresses add column mac blob;
alter table bootstrap add column mac blob;
alter table catalogs add column mac blob;
alter table devices add column mac blob;
alter table gateways add column mac blob;
alter table installation_keys add column mac blob;
alter table invitations add column mac blob;
alter table key_generations add column mac blob;
alter table members add column mac blob;
alter table people add column mac blob;
alter table platform_credentials add column mac blob;
alter table remembered add column mac blob;
alter table secrets add column mac blob;
alter table sessions add column mac blob;
alter table tokens add column mac blob;
alter table unsubscribed add column mac blob;
alter table webhooks add column mac blob;
