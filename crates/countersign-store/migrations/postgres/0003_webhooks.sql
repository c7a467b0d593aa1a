-- Addresses of others that are told by a signed HTTP request. No account: the platform's own, which hears of every account.
create table webhooks (
  id text collate "C" constraint webhooks_id primary key,
  account_id text collate "C" references accounts (id),
  url text collate "C" not null,
  description text collate "C" not null,
  events text collate "C" not null,
  state text collate "C" not null check (state in ('enabled', 'disabled')),
  secret bytea not null,
  former_secret bytea,
  former_ends_at bigint,
  failing_since bigint,
  edit bigint not null,
  created_at bigint not null,
  created_by text collate "C"
);
create index webhooks_account_id_created_at_id on webhooks (account_id, created_at, id);
