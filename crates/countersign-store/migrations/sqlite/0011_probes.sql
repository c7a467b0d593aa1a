-- The last probe of each gateway: what a person saw who drove it. It decides about nothing.
create table gateway_probes (
  gateway_id text primary key references gateways (id) on delete cascade,
  at integer not null,
  report text not null
) strict;
