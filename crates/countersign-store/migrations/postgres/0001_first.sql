-- The first schema. Times are milliseconds since 1970-01-01T00:00:00Z, booleans are 0 and 1, ids are their text form.
-- Every unique index is named after its table and columns: the driver tells a broken one apart by that name.

create table cluster (
  singleton bigint constraint cluster_singleton primary key check (singleton = 1),
  cluster_id text collate "C" not null,
  epoch bigint not null,
  head bigint not null,
  chain bytea not null check (length(chain) = 32),
  floor bigint not null,
  audit_head bigint not null,
  audit_hash bytea not null check (length(audit_hash) = 32)
);

insert into cluster values (1, replace(gen_random_uuid()::text, '-', ''), 1, 0, decode(repeat('00', 32), 'hex'), 0, 0, decode(repeat('00', 32), 'hex'));

create table change_log (
  seq bigint constraint change_log_seq primary key,
  at bigint not null,
  kind text collate "C" not null,
  subject text collate "C" not null,
  record text collate "C" not null,
  chain bytea not null
);

create table audit (
  number bigint constraint audit_number primary key,
  at bigint not null,
  actor_kind text collate "C" not null,
  actor_id text collate "C",
  actor_label text collate "C" not null,
  client_address text collate "C" not null,
  request_id text collate "C",
  account_id text collate "C",
  action text collate "C" not null,
  subject text collate "C" not null,
  subject_label text collate "C" not null,
  outcome text collate "C" not null check (outcome in ('done', 'refused')),
  before text collate "C" not null,
  after text collate "C" not null,
  previous_hash bytea not null,
  hash bytea not null
);
create index audit_account_id_number on audit (account_id, number);
create index audit_subject_number on audit (subject, number);

create table catalogs (
  number bigint constraint catalogs_number primary key,
  source text collate "C" not null,
  numbering text collate "C" not null,
  loaded_at bigint not null
);

create table accounts (
  id text collate "C" constraint accounts_id primary key,
  external_id text collate "C" not null,
  external_id_key text collate "C" not null,
  kind text collate "C" not null,
  name text collate "C" not null,
  name_key text collate "C" not null,
  state text collate "C" not null check (state in ('active', 'suspended')),
  api_access bigint not null check (api_access in (0, 1)),
  legacy_tokens bigint not null check (legacy_tokens in (0, 1)),
  reveal text collate "C" not null check (reveal in ('recoverable', 'once')),
  token_limit bigint not null,
  data_key bytea not null,
  edit bigint not null,
  created_at bigint not null,
  updated_at bigint not null
);
create unique index accounts_external_id on accounts (external_id);
create index accounts_name_key_id on accounts (name_key, id);

create table people (
  id text collate "C" constraint people_id primary key,
  email text collate "C" not null,
  email_key text collate "C" not null,
  name text collate "C" not null,
  name_key text collate "C" not null,
  language text collate "C" not null,
  password text collate "C",
  operator bigint not null check (operator in (0, 1)),
  active bigint not null check (active in (0, 1)),
  generation bigint not null,
  failed_sign_ins bigint not null,
  failed_at bigint,
  edit bigint not null,
  created_at bigint not null
);
create unique index people_email_key on people (email_key);
create index people_operator on people (operator) where operator = 1;

create table members (
  account_id text collate "C" not null references accounts (id),
  user_id text collate "C" not null references people (id),
  role text collate "C" not null,
  edit bigint not null,
  created_at bigint not null,
  constraint members_account_id_user_id primary key (account_id, user_id)
);
create index members_user_id on members (user_id);

create table tokens (
  id text collate "C" constraint tokens_id primary key,
  account_id text collate "C" not null references accounts (id),
  sid text collate "C" not null,
  name text collate "C" not null,
  name_key text collate "C" not null,
  description text collate "C" not null,
  access text collate "C" not null check (access in ('scoped', 'read_write', 'read_only')),
  scopes text collate "C" not null,
  api_version bigint not null,
  primary_contact text collate "C",
  developer_emails text collate "C" not null,
  state text collate "C" not null check (state in ('enabled', 'disabled')),
  expires_at bigint,
  addresses text collate "C" not null,
  rate_requests bigint,
  rate_window_secs bigint,
  made_by text collate "C",
  edit bigint not null,
  created_at bigint not null,
  created_by text collate "C" not null,
  updated_at bigint not null,
  updated_by text collate "C" not null,
  last_used_at bigint,
  last_used_from text collate "C"
);
create unique index tokens_sid on tokens (sid);
create unique index tokens_account_id_name_key on tokens (account_id, name_key) where access = 'scoped';
create unique index tokens_account_id_access on tokens (account_id, access) where access <> 'scoped';
create index tokens_account_id_created_at_id on tokens (account_id, created_at, id) where access = 'scoped';
create index tokens_account_id_primary_contact on tokens (account_id, primary_contact);

create table secrets (
  token_id text collate "C" not null references tokens (id),
  generation bigint not null,
  digest bytea not null check (length(digest) = 32),
  pepper bigint not null,
  sealed bytea,
  last4 text collate "C" not null,
  weak bigint not null check (weak in (0, 1)),
  created_at bigint not null,
  ends_at bigint,
  last_used_at bigint,
  last_used_from text collate "C",
  uses bigint not null,
  constraint secrets_token_id_generation primary key (token_id, generation)
);
create unique index secrets_digest on secrets (digest);

create table spent_sids (
  sid text collate "C" constraint spent_sids_sid primary key
);

-- A token once per secret, so that one statement reads a token whole.
create view token_rows as
select t.*,
  s.generation as secret_generation, s.digest as secret_digest, s.pepper as secret_pepper,
  s.sealed as secret_sealed, s.last4 as secret_last4, s.weak as secret_weak,
  s.created_at as secret_created_at, s.ends_at as secret_ends_at,
  s.last_used_at as secret_last_used_at, s.last_used_from as secret_last_used_from, s.uses as secret_uses
from tokens t left join secrets s on s.token_id = t.id;

create table sessions (
  id text collate "C" constraint sessions_id primary key,
  tag bytea not null check (length(tag) = 32),
  user_id text collate "C" not null references people (id),
  user_generation bigint not null,
  created_at bigint not null,
  seen_at bigint not null,
  expires_at bigint not null,
  password_at bigint not null,
  client_address text collate "C" not null,
  user_agent text collate "C" not null
);
create unique index sessions_tag on sessions (tag);
create index sessions_user_id on sessions (user_id);
create index sessions_expires_at on sessions (expires_at);

create table devices (
  user_id text collate "C" not null references people (id),
  tag bytea not null check (length(tag) = 32),
  seen_at bigint not null,
  constraint devices_user_id_tag primary key (user_id, tag)
);
create index devices_seen_at on devices (seen_at);

create table invitations (
  id text collate "C" constraint invitations_id primary key,
  account_id text collate "C" references accounts (id),
  email text collate "C" not null,
  email_key text collate "C" not null,
  role text collate "C",
  code bytea not null check (length(code) = 32),
  expires_at bigint not null,
  created_at bigint not null,
  created_by text collate "C"
);
create unique index invitations_code on invitations (code);
create index invitations_account_id_created_at_id on invitations (account_id, created_at, id);
create index invitations_expires_at on invitations (expires_at);

create table gateways (
  id text collate "C" constraint gateways_id primary key,
  name text collate "C" not null,
  credential bytea not null check (length(credential) = 32),
  last4 text collate "C" not null,
  peers text collate "C" not null,
  profile text collate "C" not null,
  created_at bigint not null,
  edit bigint not null
);
create unique index gateways_name on gateways (name);
create unique index gateways_credential on gateways (credential);

create table platform_credentials (
  id text collate "C" constraint platform_credentials_id primary key,
  name text collate "C" not null,
  credential bytea not null check (length(credential) = 32),
  last4 text collate "C" not null,
  created_at bigint not null,
  expires_at bigint
);
create unique index platform_credentials_name on platform_credentials (name);
create unique index platform_credentials_credential on platform_credentials (credential);

create table remembered (
  actor text collate "C" not null,
  operation text collate "C" not null,
  key text collate "C" not null,
  request_hash bytea not null check (length(request_hash) = 32),
  token_id text collate "C" not null,
  secret_generation bigint not null,
  expires_at bigint not null,
  constraint remembered_actor_operation_key primary key (actor, operation, key)
);
create index remembered_expires_at on remembered (expires_at);

create table bootstrap (
  singleton bigint constraint bootstrap_singleton primary key check (singleton = 1),
  code bytea not null check (length(code) = 32),
  expires_at bigint not null
);
