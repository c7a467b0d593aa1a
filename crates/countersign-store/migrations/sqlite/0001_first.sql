-- The first schema. Times are milliseconds since 1970-01-01T00:00:00Z, booleans are 0 and 1, ids are their text form.
-- Every unique index is named after its table and columns: the driver tells a broken one apart by that name.

create table cluster (
  singleton integer primary key check (singleton = 1),
  cluster_id text not null,
  epoch integer not null,
  head integer not null,
  chain blob not null check (length(chain) = 32),
  floor integer not null,
  audit_head integer not null,
  audit_hash blob not null check (length(audit_hash) = 32)
) strict;

insert into cluster values (1, lower(hex(randomblob(16))), 1, 0, zeroblob(32), 0, 0, zeroblob(32));

create table change_log (
  seq integer primary key,
  at integer not null,
  kind text not null,
  subject text not null,
  record text not null,
  chain blob not null
) strict;

create table audit (
  number integer primary key,
  at integer not null,
  actor_kind text not null,
  actor_id text,
  actor_label text not null,
  client_address text not null,
  request_id text,
  account_id text,
  action text not null,
  subject text not null,
  subject_label text not null,
  outcome text not null check (outcome in ('done', 'refused')),
  before text not null,
  after text not null,
  previous_hash blob not null,
  hash blob not null
) strict;
create index audit_account_id_number on audit (account_id, number);
create index audit_subject_number on audit (subject, number);

create table catalogs (
  number integer primary key,
  source text not null,
  numbering text not null,
  loaded_at integer not null
) strict;

create table accounts (
  id text primary key,
  external_id text not null,
  external_id_key text not null,
  kind text not null,
  name text not null,
  name_key text not null,
  state text not null check (state in ('active', 'suspended')),
  api_access integer not null check (api_access in (0, 1)),
  legacy_tokens integer not null check (legacy_tokens in (0, 1)),
  reveal text not null check (reveal in ('recoverable', 'once')),
  token_limit integer not null,
  data_key blob not null,
  edit integer not null,
  created_at integer not null,
  updated_at integer not null
) strict, without rowid;
create unique index accounts_external_id on accounts (external_id);
create index accounts_name_key_id on accounts (name_key, id);

create table people (
  id text primary key,
  email text not null,
  email_key text not null,
  name text not null,
  name_key text not null,
  language text not null,
  password text,
  operator integer not null check (operator in (0, 1)),
  active integer not null check (active in (0, 1)),
  generation integer not null,
  failed_sign_ins integer not null,
  failed_at integer,
  edit integer not null,
  created_at integer not null
) strict, without rowid;
create unique index people_email_key on people (email_key);
create index people_operator on people (operator) where operator = 1;

create table members (
  account_id text not null references accounts (id),
  user_id text not null references people (id),
  role text not null,
  edit integer not null,
  created_at integer not null,
  primary key (account_id, user_id)
) strict, without rowid;
create index members_user_id on members (user_id);

create table tokens (
  id text primary key,
  account_id text not null references accounts (id),
  sid text not null,
  name text not null,
  name_key text not null,
  description text not null,
  access text not null check (access in ('scoped', 'read_write', 'read_only')),
  scopes text not null,
  api_version integer not null,
  primary_contact text,
  developer_emails text not null,
  state text not null check (state in ('enabled', 'disabled')),
  expires_at integer,
  addresses text not null,
  rate_requests integer,
  rate_window_secs integer,
  made_by text,
  edit integer not null,
  created_at integer not null,
  created_by text not null,
  updated_at integer not null,
  updated_by text not null,
  last_used_at integer,
  last_used_from text
) strict, without rowid;
create unique index tokens_sid on tokens (sid);
create unique index tokens_account_id_name_key on tokens (account_id, name_key) where access = 'scoped';
create unique index tokens_account_id_access on tokens (account_id, access) where access <> 'scoped';
create index tokens_account_id_created_at_id on tokens (account_id, created_at, id) where access = 'scoped';
create index tokens_account_id_primary_contact on tokens (account_id, primary_contact);

create table secrets (
  token_id text not null references tokens (id) on delete cascade,
  generation integer not null,
  digest blob not null check (length(digest) = 32),
  pepper integer not null,
  sealed blob,
  last4 text not null,
  weak integer not null check (weak in (0, 1)),
  created_at integer not null,
  ends_at integer,
  last_used_at integer,
  last_used_from text,
  uses integer not null,
  primary key (token_id, generation)
) strict, without rowid;
create unique index secrets_digest on secrets (digest);

create table spent_sids (
  sid text primary key
) strict, without rowid;

-- A token once per secret, so that one statement reads a token whole.
create view token_rows as
select t.*,
  s.generation as secret_generation, s.digest as secret_digest, s.pepper as secret_pepper,
  s.sealed as secret_sealed, s.last4 as secret_last4, s.weak as secret_weak,
  s.created_at as secret_created_at, s.ends_at as secret_ends_at,
  s.last_used_at as secret_last_used_at, s.last_used_from as secret_last_used_from, s.uses as secret_uses
from tokens t left join secrets s on s.token_id = t.id;

create table sessions (
  id text primary key,
  tag blob not null check (length(tag) = 32),
  user_id text not null references people (id),
  user_generation integer not null,
  created_at integer not null,
  seen_at integer not null,
  expires_at integer not null,
  password_at integer not null,
  client_address text not null,
  user_agent text not null
) strict, without rowid;
create unique index sessions_tag on sessions (tag);
create index sessions_user_id on sessions (user_id);
create index sessions_expires_at on sessions (expires_at);

create table devices (
  user_id text not null references people (id),
  tag blob not null check (length(tag) = 32),
  seen_at integer not null,
  primary key (user_id, tag)
) strict, without rowid;
create index devices_seen_at on devices (seen_at);

create table invitations (
  id text primary key,
  account_id text references accounts (id),
  email text not null,
  email_key text not null,
  role text,
  code blob not null check (length(code) = 32),
  expires_at integer not null,
  created_at integer not null,
  created_by text
) strict, without rowid;
create unique index invitations_code on invitations (code);
create index invitations_account_id_created_at_id on invitations (account_id, created_at, id);
create index invitations_expires_at on invitations (expires_at);

create table gateways (
  id text primary key,
  name text not null,
  credential blob not null check (length(credential) = 32),
  last4 text not null,
  peers text not null,
  profile text not null,
  created_at integer not null,
  edit integer not null
) strict, without rowid;
create unique index gateways_name on gateways (name);
create unique index gateways_credential on gateways (credential);

create table platform_credentials (
  id text primary key,
  name text not null,
  credential blob not null check (length(credential) = 32),
  last4 text not null,
  created_at integer not null,
  expires_at integer
) strict, without rowid;
create unique index platform_credentials_name on platform_credentials (name);
create unique index platform_credentials_credential on platform_credentials (credential);

create table remembered (
  actor text not null,
  operation text not null,
  key text not null,
  request_hash blob not null check (length(request_hash) = 32),
  token_id text not null,
  secret_generation integer not null,
  expires_at integer not null,
  primary key (actor, operation, key)
) strict, without rowid;
create index remembered_expires_at on remembered (expires_at);

create table bootstrap (
  singleton integer primary key check (singleton = 1),
  code blob not null check (length(code) = 32),
  expires_at integer not null
) strict;
