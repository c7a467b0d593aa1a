-- The last probe of each gateway: what a person saw who drove it. It decides about nothing.
create table gateway_probes (
  gateway_id text collate "C" constraint gateway_probes_gateway_id primary key references gateways (id) on delete cascade,
  at bigint not null,
  report text collate "C" not null
);
