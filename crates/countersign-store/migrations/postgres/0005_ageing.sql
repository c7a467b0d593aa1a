-- How long tokens live, and who still uses which API version.

-- The longest life of the account's tokens, in days from their creation; null: as the platform says.
alter table accounts add column token_lifetime_days bigint;

-- The API versions in effect of allowed requests, whatever version the token itself has.
create table version_uses (
  token_id text collate "C" not null references tokens (id) on delete cascade,
  api_version bigint not null,
  last_used_at bigint not null,
  constraint version_uses_token_id_api_version primary key (token_id, api_version)
);
create index version_uses_api_version_last_used_at on version_uses (api_version, last_used_at);
create index tokens_api_version on tokens (api_version);

-- Overlaps that are about to end.
create index secrets_ends_at on secrets (ends_at) where ends_at is not null;

-- Records of tokens and accounts say more from now on: whoever has not followed to here takes a snapshot.
update cluster set floor = head where singleton = 1;
delete from change_log where seq <= (select floor from cluster);
