-- Addresses outside of the members that are told about tokens, and who wants nothing but what is about security.

create table addresses (
  account_id text collate "C" not null references accounts (id),
  email_key text collate "C" not null,
  email text collate "C" not null,
  language text collate "C" not null,
  state text collate "C" not null check (state in ('unconfirmed', 'confirmed', 'bounced')),
  code bytea check (length(code) = 32),
  code_expires_at bigint,
  asked_at bigint,
  confirmed_at bigint,
  bounced_at bigint,
  reason text collate "C",
  constraint addresses_account_id_email_key primary key (account_id, email_key)
);
create unique index addresses_code on addresses (code) where code is not null;
create index addresses_email_key on addresses (email_key);

create table unsubscribed (
  email_key text collate "C" constraint unsubscribed_email_key primary key,
  at bigint not null
);

-- What a mail server last refused for good, by address: of members and of developers alike.
create table bounces (
  email_key text collate "C" constraint bounces_email_key primary key,
  at bigint not null,
  reason text collate "C" not null
);
