-- Access tokens that were derived from a token until this moment have ended: it was disabled or reset then.
alter table tokens add column access_tokens_from bigint;

-- The back end that a gateway's signed assertions are addressed to; null: it gets none.
alter table gateways add column assertion_audience text collate "C";

drop view token_rows;
create view token_rows as
select t.*,
  s.generation as secret_generation, s.digest as secret_digest, s.pepper as secret_pepper,
  s.layered_over as secret_layered_over, s.sealed as secret_sealed, s.data_key as secret_data_key,
  s.last4 as secret_last4, s.weak as secret_weak, s.created_at as secret_created_at, s.ends_at as secret_ends_at,
  s.last_used_at as secret_last_used_at, s.last_used_from as secret_last_used_from, s.uses as secret_uses
from tokens t left join secrets s on s.token_id = t.id;
