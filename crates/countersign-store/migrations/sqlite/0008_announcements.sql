-- Development updates of the operator. While one is being sent, `place` is the last address that was reached: whoever goes
-- on begins behind it.
create table announcements (
  id text primary key,
  subject text not null,
  body text not null,
  subject_zh text not null,
  body_zh text not null,
  link text,
  kinds text not null,
  versions text not null,
  state text not null check (state in ('draft', 'sending', 'sent')),
  place text not null,
  posted integer not null,
  edit integer not null,
  created_at integer not null,
  created_by text not null,
  sent_at integer,
  finished_at integer
) strict, without rowid;
create index announcements_created_at_id on announcements (created_at, id);
create index announcements_sending on announcements (id) where state = 'sending';
