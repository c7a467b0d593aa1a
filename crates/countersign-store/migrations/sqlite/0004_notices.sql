-- What people and machines are to be told, and to whom it is on its way. A notice is written with the change it tells of;
-- it has no foreign key to account or token, because it outlives what it tells of.

create table notices (
  id text primary key,
  at integer not null,
  account_id text,
  event text not null,
  token_id text,
  label text not null,
  facts text not null,
  once text
) strict, without rowid;
create unique index notices_once on notices (once);
create index notices_at on notices (at);

-- One recipient of one notice. `target` is the folded address of a mail or the id of a webhook; `tries` only grows, and
-- a retry by hand raises `tries_max`. Who works on it holds `claim`, and `next_at` is when that claim is void.
create table deliveries (
  notice_id text not null references notices (id),
  ordinal integer not null check (ordinal between 1 and 1048575),
  account_id text,
  token_id text,
  event text not null,
  channel text not null check (channel in ('mail', 'webhook')),
  kind text not null check (kind in ('contact', 'developer', 'person', 'address', 'webhook')),
  target text not null,
  address text not null,
  user_id text,
  language text not null,
  state text not null check (state in ('waiting', 'held', 'sent', 'dead')),
  tries integer not null,
  tries_max integer not null,
  next_at integer not null,
  claim integer,
  code integer,
  reason text,
  created_at integer not null,
  settled_at integer,
  primary key (notice_id, ordinal)
) strict, without rowid;
create unique index deliveries_notice_id_channel_target on deliveries (notice_id, channel, target);
create index deliveries_due on deliveries (channel, next_at) where state = 'waiting';
create index deliveries_claim on deliveries (claim) where claim is not null;
create index deliveries_held on deliveries (target) where state = 'held';
create index deliveries_account_id_created_at on deliveries (account_id, created_at, notice_id, ordinal);
create index deliveries_state_channel_created_at on deliveries (state, channel, created_at);
create index deliveries_created_at on deliveries (created_at, notice_id, ordinal);

create table attempts (
  notice_id text not null,
  ordinal integer not null,
  number integer not null,
  at integer not null,
  code integer,
  reason text,
  millis integer not null,
  primary key (notice_id, ordinal, number),
  foreign key (notice_id, ordinal) references deliveries (notice_id, ordinal) on delete cascade
) strict, without rowid;
