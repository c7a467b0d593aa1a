-- Which generations of which keys are in use. Roots are files beside the data; `proof` tells a wrong file from the right
-- one and opens nothing. A pepper is derived from the verify root of the generation in `root`.
create table key_generations (
  kind text collate "C" not null check (kind in ('verify_root', 'reveal_root', 'pepper')),
  generation bigint not null,
  state text collate "C" not null check (state in ('current', 'former', 'layered', 'retired')),
  root bigint,
  proof bytea not null check (length(proof) = 32),
  made_at bigint not null,
  constraint key_generations_kind_generation primary key (kind, generation)
);

-- The keys of what belongs to the installation and to no account, wrapped by the reveal root of the generation in `root`.
create table installation_keys (
  generation bigint constraint installation_keys_generation primary key,
  root bigint not null,
  wrapped bytea not null,
  made_at bigint not null
);

-- Rotations of keys, one at a time.
create table key_jobs (
  number bigint constraint key_jobs_number primary key,
  kind text collate "C" not null check (kind in ('reveal_root', 'data_keys', 'pepper', 'verify_root', 'show_once')),
  state text collate "C" not null check (state in ('running', 'done')),
  step text collate "C" not null,
  place text collate "C" not null,
  finished bigint not null,
  total bigint not null,
  drops_layered bigint not null check (drops_layered in (0, 1)),
  started_at bigint not null,
  started_by text collate "C" not null,
  ended_at bigint
);
create unique index key_jobs_state on key_jobs (state) where state = 'running';

-- An account has one data key, and the one before it while its secrets are sealed anew.
alter table accounts add column data_key_root bigint not null;
alter table accounts add column data_key_generation bigint not null;
alter table accounts add column former_data_key bytea;
create index accounts_data_key_root_id on accounts (data_key_root, id);

-- The pepper generation under this one, where the digest is a digest of a digest; and the data key it is sealed under.
alter table secrets add column layered_over bigint;
alter table secrets add column data_key bigint;
update secrets set data_key = 1 where sealed is not null;
alter table gateways add column layered_over bigint;
alter table gateways add column root bigint not null;
alter table platform_credentials add column layered_over bigint;
alter table platform_credentials add column root bigint not null;

drop view token_rows;
create view token_rows as
select t.*,
  s.generation as secret_generation, s.digest as secret_digest, s.pepper as secret_pepper,
  s.layered_over as secret_layered_over, s.sealed as secret_sealed, s.data_key as secret_data_key,
  s.last4 as secret_last4, s.weak as secret_weak, s.created_at as secret_created_at, s.ends_at as secret_ends_at,
  s.last_used_at as secret_last_used_at, s.last_used_from as secret_last_used_from, s.uses as secret_uses
from tokens t left join secrets s on s.token_id = t.id;
