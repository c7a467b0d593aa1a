//! Where SQLite and PostgreSQL are told something different: every fork has a name and stands here, and a test counts
//! them. All other text is the same for both. What PostgreSQL needs besides, so that rows are stamped by the driver, is
//! made from the common text in `postgres/plan.rs`.

/// Texts for the same purpose, one for each database.
pub(crate) struct Fork {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// SQLite locks the whole file at once; PostgreSQL locks the row of the cluster, which the next statement reads.
pub(crate) const BEGIN: Fork = Fork { sqlite: "begin immediate", postgres: "begin" };

/// One moment for several queries.
pub(crate) const BEGIN_READING: Fork =
    Fork { sqlite: "begin", postgres: "begin isolation level repeatable read read only" };

/// The row every transaction that writes begins with. Two that write at once on PostgreSQL wait for each other here, so
/// numbers are given in the order of commits.
pub(crate) const LOCK_CLUSTER: Fork = Fork {
    sqlite: "select * from cluster where singleton = 1",
    postgres: "select * from cluster where singleton = 1 for update",
};

/// Where applied migrations are noted.
pub(crate) const MIGRATIONS: Fork = Fork {
    sqlite: "create table if not exists migrations (
    number integer primary key, name text not null, checksum blob not null, applied_at integer not null
) strict",
    postgres: "create table if not exists migrations (
    number bigint primary key, name text not null, checksum bytea not null, applied_at bigint not null
)",
};

/// Notes one.
pub(crate) const NOTE_MIGRATION: Fork = Fork {
    sqlite: "insert into migrations values ($1, $2, $3, cast(unixepoch('subsec') * 1000 as integer))",
    postgres: "insert into migrations values
    ($1, $2, $3, cast(extract(epoch from clock_timestamp()) * 1000 as bigint))",
};

/// The columns of a table.
pub(crate) const COLUMNS: Fork = Fork {
    sqlite: "select name from pragma_table_info($1)",
    postgres: "select a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relname = $1 and c.relnamespace = current_schema()::regnamespace and a.attnum > 0 and not a.attisdropped
order by a.attnum",
};

/// Everything the schema says, as texts in a fixed order.
pub(crate) const SCHEMA: Fork = Fork {
    sqlite: "select type, name, tbl_name, sql from sqlite_schema order by type, name, tbl_name",
    postgres: r#"select type, name, tbl_name, sql from (
select 'column' as type, a.attname::text as name, c.relname::text as tbl_name, concat_ws(' ', a.attnum::text,
    format_type(a.atttypid, a.atttypmod), l.collname, a.attnotnull::text, a.attgenerated::text,
    pg_get_expr(d.adbin, d.adrelid)) as sql
  from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_collation l on l.oid = a.attcollation
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0
    and not a.attisdropped
union all
select 'table', c.relname::text, c.relname::text, concat_ws(' ', c.relkind::text, c.relpersistence::text,
    c.relrowsecurity::text, c.relforcerowsecurity::text)
  from pg_class c
  where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
union all
select 'index', indexname::text, tablename::text, replace(indexdef, ' ' || schemaname || '.', ' ')
  from pg_indexes where schemaname = current_schema()
union all
select 'constraint', o.conname::text, o.conrelid::regclass::text, pg_get_constraintdef(o.oid)
  from pg_constraint o where o.connamespace = current_schema()::regnamespace and o.contype <> 'n'
union all
select 'view', viewname::text, viewname::text, definition from pg_views where schemaname = current_schema()
union all
select 'trigger', t.tgname::text, t.tgrelid::regclass::text, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled::text)
  from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = current_schema()::regnamespace and not t.tgisinternal
union all
select 'rule', r.rulename::text, r.ev_class::regclass::text, pg_get_ruledef(r.oid)
  from pg_rewrite r join pg_class c on c.oid = r.ev_class
  where c.relnamespace = current_schema()::regnamespace and r.rulename <> '_RETURN'
union all
select 'policy', policyname::text, tablename::text, concat_ws(' ', permissive, cmd, qual, with_check)
  from pg_policies where schemaname = current_schema()
) everything order by type collate "C", tbl_name collate "C", name collate "C""#,
};

/// Whether every page and index is well formed: a check of the file, which PostgreSQL does not have.
pub(crate) const INTEGRITY: Fork =
    Fork { sqlite: "pragma integrity_check(1)", postgres: "select 'ok' as integrity_check" };

/// Every fork.
#[cfg(test)]
pub(crate) const FORKS: &[&Fork] =
    &[&BEGIN, &BEGIN_READING, &LOCK_CLUSTER, &MIGRATIONS, &NOTE_MIGRATION, &COLUMNS, &SCHEMA, &INTEGRITY];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forks_are_few() {
        assert!(FORKS.len() <= 10, "{} dialect forks", FORKS.len());
        for fork in FORKS {
            assert_ne!(fork.sqlite, fork.postgres, "what is the same for both is no fork");
        }
        // A fork that is not counted is still one.
        let here = include_str!("dialect.rs");
        let (code, _) = here.split_once("#[cfg(test)]").unwrap();
        assert_eq!(code.matches(": Fork =").count(), FORKS.len());
    }
}
