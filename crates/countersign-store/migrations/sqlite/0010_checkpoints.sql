-- Signed statements about the audit trail: "entry `number` has this `hash`". The newest are also kept elsewhere; with one of
-- those, entries that were cut off at the end are missed.
create table checkpoints (
  number integer primary key,
  hash blob not null check (length(hash) = 32),
  at integer not null,
  public_key blob not null check (length(public_key) = 32),
  signature blob not null check (length(signature) = 64)
) strict;

-- Up to where the trail was trimmed, signed: entry `number`, which is gone, had this `hash`. 0 while nothing was.
create table audit_floor (
  singleton integer primary key check (singleton = 1),
  number integer not null,
  hash blob not null check (length(hash) = 32),
  at integer not null,
  public_key blob not null,
  signature blob not null
) strict;

insert into audit_floor values (1, 0, zeroblob(32), 0, x'', x'');
