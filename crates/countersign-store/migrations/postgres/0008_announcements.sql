-- Development updates of the operator. While one is being sent, `place` is the last address that was reached: whoever goes
-- on begins behind it.
create table announcements (
  id text collate "C" constraint announcements_id primary key,
  subject text collate "C" not null,
  body text collate "C" not null,
  subject_zh text collate "C" not null,
  body_zh text collate "C" not null,
  link text collate "C",
  kinds text collate "C" not null,
  versions text collate "C" not null,
  state text collate "C" not null check (state in ('draft', 'sending', 'sent')),
  place text collate "C" not null,
  posted bigint not null,
  edit bigint not null,
  created_at bigint not null,
  created_by text collate "C" not null,
  sent_at bigint,
  finished_at bigint
);
create index announcements_created_at_id on announcements (created_at, id);
create index announcements_sending on announcements (id) where state = 'sending';
