-- Addresses of others that are told by a signed HTTP request. No account: the platform's own, which hears of every account.
create table webhooks (
  id text primary key,
  account_id text references accounts (id),
  url text not null,
  description text not null,
  events text not null,
  state text not null check (state in ('enabled', 'disabled')),
  secret blob not null,
  former_secret blob,
  former_ends_at integer,
  failing_since integer,
  edit integer not null,
  created_at integer not null,
  created_by text
) strict, without rowid;
create index webhooks_account_id_created_at_id on webhooks (account_id, created_at, id);
