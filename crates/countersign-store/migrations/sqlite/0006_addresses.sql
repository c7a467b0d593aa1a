-- Addresses outside of the members that are told about tokens, and who wants nothing but what is about security.

create table addresses (
  account_id text not null references accounts (id),
  email_key text not null,
  email text not null,
  language text not null,
  state text not null check (state in ('unconfirmed', 'confirmed', 'bounced')),
  code blob check (length(code) = 32),
  code_expires_at integer,
  asked_at integer,
  confirmed_at integer,
  bounced_at integer,
  reason text,
  primary key (account_id, email_key)
) strict, without rowid;
create unique index addresses_code on addresses (code) where code is not null;
create index addresses_email_key on addresses (email_key);

create table unsubscribed (
  email_key text primary key,
  at integer not null
) strict, without rowid;

-- What a mail server last refused for good, by address: of members and of developers alike.
create table bounces (
  email_key text primary key,
  at integer not null,
  reason text not null
) strict, without rowid;
