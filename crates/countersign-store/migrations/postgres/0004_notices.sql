-- What people and machines are to be told, and to whom it is on its way. A notice is written with the change it tells of;
-- it has no foreign key to account or token, because it outlives what it tells of.

create table notices (
  id text collate "C" constraint notices_id primary key,
  at bigint not null,
  account_id text collate "C",
  event text collate "C" not null,
  token_id text collate "C",
  label text collate "C" not null,
  facts text collate "C" not null,
  once text collate "C"
);
create unique index notices_once on notices (once);
create index notices_at on notices (at);

-- One recipient of one notice. `target` is the folded address of a mail or the id of a webhook; `tries` only grows, and
-- a retry by hand raises `tries_max`. Who works on it holds `claim`, and `next_at` is when that claim is void.
create table deliveries (
  notice_id text collate "C" not null references notices (id),
  ordinal bigint not null check (ordinal between 1 and 1048575),
  account_id text collate "C",
  token_id text collate "C",
  event text collate "C" not null,
  channel text collate "C" not null check (channel in ('mail', 'webhook')),
  kind text collate "C" not null check (kind in ('contact', 'developer', 'person', 'address', 'webhook')),
  target text collate "C" not null,
  address text collate "C" not null,
  user_id text collate "C",
  language text collate "C" not null,
  state text collate "C" not null check (state in ('waiting', 'held', 'sent', 'dead')),
  tries bigint not null,
  tries_max bigint not null,
  next_at bigint not null,
  claim bigint,
  code bigint,
  reason text collate "C",
  created_at bigint not null,
  settled_at bigint,
  constraint deliveries_notice_id_ordinal primary key (notice_id, ordinal)
);
create unique index deliveries_notice_id_channel_target on deliveries (notice_id, channel, target);
create index deliveries_due on deliveries (channel, next_at) where state = 'waiting';
create index deliveries_claim on deliveries (claim) where claim is not null;
create index deliveries_held on deliveries (target) where state = 'held';
create index deliveries_account_id_created_at on deliveries (account_id, created_at, notice_id, ordinal);
create index deliveries_state_channel_created_at on deliveries (state, channel, created_at);
create index deliveries_created_at on deliveries (created_at, notice_id, ordinal);

create table attempts (
  notice_id text collate "C" not null,
  ordinal bigint not null,
  number bigint not null,
  at bigint not null,
  code bigint,
  reason text collate "C",
  millis bigint not null,
  constraint attempts_notice_id_ordinal_number primary key (notice_id, ordinal, number),
  foreign key (notice_id, ordinal) references deliveries (notice_id, ordinal) on delete cascade
);
