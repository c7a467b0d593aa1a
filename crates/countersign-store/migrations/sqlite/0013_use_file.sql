-- How far the file in which uses are counted was written down here: which file, the number of its last report, and, while one
-- that a process left behind is being read, up to which of its lines. Written in one transaction with the uses.
create table use_file (
  singleton integer primary key check (singleton = 1),
  file blob not null check (length(file) = 32),
  report integer not null,
  recovered integer not null
) strict;
