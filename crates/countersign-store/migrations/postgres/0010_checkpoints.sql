-- Signed statements about the audit trail: "entry `number` has this `hash`". The newest are also kept elsewhere; with one of
-- those, entries that were cut off at the end are missed.
create table checkpoints (
  number bigint constraint checkpoints_number primary key,
  hash bytea not null check (length(hash) = 32),
  at bigint not null,
  public_key bytea not null check (length(public_key) = 32),
  signature bytea not null check (length(signature) = 64)
);

-- Up to where the trail was trimmed, signed: entry `number`, which is gone, had this `hash`. 0 while nothing was.
create table audit_floor (
  singleton bigint constraint audit_floor_singleton primary key check (singleton = 1),
  number bigint not null,
  hash bytea not null check (length(hash) = 32),
  at bigint not null,
  public_key bytea not null,
  signature bytea not null
);

insert into audit_floor values (1, 0, decode(repeat('00', 32), 'hex'), 0, '', '');
