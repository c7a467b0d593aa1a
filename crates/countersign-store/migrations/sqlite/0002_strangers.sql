-- Sign-ins as people who do not exist are counted in a row of their own, so that they are as much work as others.
create table strangers (
  singleton integer primary key check (singleton = 1),
  failed_sign_ins integer not null,
  failed_at integer
) strict;

insert into strangers values (1, 0, null);
