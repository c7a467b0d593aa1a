-- Which generations of which keys are in use. Roots are files beside the data; `proof` tells a wrong file from the right
-- one and opens nothing. A pepper is derived from the verify root of the generation in `root`.
create table key_generations (
  kind text not null check (kind in ('verify_root', 'reveal_root', 'pepper')),
  generation integer not null,
  state text not null check (state in ('current', 'former', 'layered', 'retired')),
  root integer,
  proof blob not null check (length(proof) = 32),
  made_at integer not null,
  primary key (kind, generation)
) strict, without rowid;

-- The keys of what belongs to the installation and to no account, wrapped by the reveal root of the generation in `root`.
create table installation_keys (
  generation integer primary key,
  root integer not null,
  wrapped blob not null,
  made_at integer not null
) strict;

-- Rotations of keys, one at a time.
create table key_jobs (
  number integer primary key,
  kind text not null check (kind in ('reveal_root', 'data_keys', 'pepper', 'verify_root', 'show_once')),
  state text not null check (state in ('running', 'done')),
  step text not null,
  place text not null,
  finished integer not null,
  total integer not null,
  drops_layered integer not null check (drops_layered in (0, 1)),
  started_at integer not null,
  started_by text not null,
  ended_at integer
) strict;
create unique index key_jobs_state on key_jobs (state) where state = 'running';

-- An account has one data key, and the one before it while its secrets are sealed anew.
alter table accounts add column data_key_root integer not null default 1;
alter table accounts add column data_key_generation integer not null default 1;
alter table accounts add column former_data_key blob;
create index accounts_data_key_root_id on accounts (data_key_root, id);

-- The pepper generation under this one, where the digest is a digest of a digest; and the data key it is sealed under.
alter table secrets add column layered_over integer;
alter table secrets add column data_key integer;
update secrets set data_key = 1 where sealed is not null;
alter table gateways add column layered_over integer;
alter table gateways add column root integer not null default 1;
alter table platform_credentials add column layered_over integer;
alter table platform_credentials add column root integer not null default 1;

drop view token_rows;
create view token_rows as
select t.*,
  s.generation as secret_generation, s.digest as secret_digest, s.pepper as secret_pepper,
  s.layered_over as secret_layered_over, s.sealed as secret_sealed, s.data_key as secret_data_key,
  s.last4 as secret_last4, s.weak as secret_weak, s.created_at as secret_created_at, s.ends_at as secret_ends_at,
  s.last_used_at as secret_last_used_at, s.last_used_from as secret_last_used_from, s.uses as secret_uses
from tokens t left join secrets s on s.token_id = t.id;
