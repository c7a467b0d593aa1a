-- How far the file in which uses are counted was written down here: which file, the number of its last report, and, while one
-- that a process left behind is being read, up to which of its lines. Written in one transaction with the uses.
create table use_file (
  singleton bigint constraint use_file_singleton primary key check (singleton = 1),
  file bytea not null check (length(file) = 32),
  report bigint not null,
  recovered bigint not null
);
