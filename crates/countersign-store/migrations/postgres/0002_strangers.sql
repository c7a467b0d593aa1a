-- Sign-ins as people who do not exist are counted in a row of their own, so that they are as much work as others.
create table strangers (
  singleton bigint constraint strangers_singleton primary key check (singleton = 1),
  failed_sign_ins bigint not null,
  failed_at bigint
);

insert into strangers values (1, 0, null);
