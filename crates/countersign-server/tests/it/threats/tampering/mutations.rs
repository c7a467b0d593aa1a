//! The ways a database is changed: bits, bytes and pages of the file; and, through SQLite, columns, rows, tables, chains
//! and whole earlier states.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
};

use super::{
    dice::Dice,
    scene::{Copy, Scene, Table},
};

const PAGE: usize = 4_096;

/// Changes that open a door for certain, if nobody notices.
pub const WIDENING: &[(&str, &str)] = &[
    ("enable a token", "update tokens set state = 'enabled' where name = 'disabled'"),
    ("add scopes", "update tokens set scopes = (select scopes from tokens where name = 'disabled') where name = 'old'"),
    (
        "let legacy tokens in",
        "update accounts set legacy_tokens = 1;
         update tokens set access = 'read_write', scopes = '[]' where name = 'plain'",
    ),
    ("clear an address list", "update tokens set addresses = '[]' where name = 'at home'"),
    ("push expiry", "update tokens set expires_at = 9999999999999 where name = 'ending'"),
    ("take expiry away", "update tokens set expires_at = null where name = 'ending'"),
    ("API access on", "update accounts set api_access = 1"),
    ("make an operator", "update people set operator = 1 where email_key = 'ann@example.com'"),
    ("raise a role", "update members set role = 'account_administrator' where role = 'analyst'"),
    (
        "move a session",
        "update sessions set user_id = (select id from people where operator = 1)
         where user_id = (select id from people where email_key = 'ann@example.com')",
    ),
    (
        "join an account",
        "insert into members select (select id from accounts where external_id = 'crm-1'), user_id, role, edit,
           created_at, mac from members where user_id = (select id from people where email_key = 'ned@example.com')",
    ),
    (
        "use another's digest",
        "update secrets set digest = zeroblob(32) where token_id = (select id from tokens where name = 'plain');
         update secrets set digest = (select s.digest from history2.secrets s join history2.tokens t on t.id = s.token_id
           where t.name = 'deleted') where token_id = (select id from tokens where name = 'plain')",
    ),
];

/// One way.
#[derive(Debug)]
pub enum Mutation {
    Bit,
    Byte,
    Run,
    SwapPages,
    OlderPage,
    Truncate,
    /// A change of the list above.
    Widening(usize),
    Sql {
        kind: &'static str,
        sql: String,
    },
    Whole(usize),
}

impl Mutation {
    pub fn draw(scene: &Scene, dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..=7 => Self::Bit,
            8..=13 => Self::Byte,
            14..=17 => Self::Run,
            18..=20 => Self::SwapPages,
            21..=23 => Self::OlderPage,
            24 => Self::Truncate,
            25..=36 => Self::Widening(dice.below(WIDENING.len())),
            37..=38 => Self::Whole(dice.below(scene.history.len())),
            _ => through_sql(scene, dice),
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Bit => "a bit of the file",
            Self::Byte => "a byte of the file",
            Self::Run => "a run of bytes of the file",
            Self::SwapPages => "two pages swapped",
            Self::OlderPage => "a page of an earlier state",
            Self::Truncate => "the file cut",
            Self::Widening(_) => "a column that grants something",
            Self::Sql { kind, .. } => kind,
            Self::Whole(_) => "the whole put back",
        }
    }

    /// Whether it changes what a MAC or an anchor covers, whatever the dice said.
    pub fn is_always_refused(&self) -> bool {
        match self {
            Self::Widening(_) | Self::Whole(_) => true,
            Self::Sql { kind, .. } => ALWAYS_REFUSED.contains(kind),
            _ => false,
        }
    }

    /// Changes a copy; answers whether the file is another one now. A statement that some row cannot take, as with two of
    /// one name, changes nothing.
    pub fn apply(&self, scene: &Scene, copy: &Copy, dice: &mut Dice) -> bool {
        match self {
            Self::Widening(place) => drop(scene.sql(copy, WIDENING[*place].1).unwrap()),
            Self::Sql { sql, .. } => drop(scene.sql(copy, sql)),
            Self::Whole(place) => drop(fs::copy(&scene.history[*place], copy.path()).unwrap()),
            _ => self.apply_to_file(scene, copy, dice),
        }
        fs::read(copy.path()).unwrap() != scene.database
    }

    fn apply_to_file(&self, scene: &Scene, copy: &Copy, dice: &mut Dice) {
        let file = OpenOptions::new().write(true).open(copy.path()).unwrap();
        let (length, pages) = (scene.database.len(), scene.database.len() / PAGE);
        let place = dice.below(length);
        let byte = scene.database[place];
        let write = |bytes: &[u8], place: usize| file.write_all_at(bytes, place as u64).unwrap();
        match self {
            Self::Bit => write(&[byte ^ (1 << dice.below(8))], place),
            Self::Byte => write(&[dice.roll().to_le_bytes()[0]], place),
            Self::Run => {
                let run = dice.below(64).min(length - place);
                let from = dice.below(length - run);
                write(&scene.database[from..from + run], place);
            }
            Self::SwapPages => {
                let (one, other) = (dice.below(pages) * PAGE, dice.below(pages) * PAGE);
                write(&scene.database[one..one + PAGE], other);
                write(&scene.database[other..other + PAGE], one);
            }
            Self::OlderPage => {
                let older = fs::read(dice.pick(&scene.history)).unwrap();
                let page = dice.below((older.len() / PAGE).min(pages)) * PAGE;
                write(&older[page..page + PAGE], page);
            }
            _ => file.set_len(dice.below(length) as u64).unwrap(),
        }
    }
}

/// Kinds that leave nothing as it was, where they change a row at all.
const ALWAYS_REFUSED: &[&str] = &[
    "a row deleted",
    "all MACs taken away",
    "the log cut at its end",
    "the log cut at its beginning",
    "the audit trail cut",
    "the row of the cluster put back",
    "a trigger",
];

#[allow(clippy::too_many_lines, reason = "a list of mutations, one after the other")]
fn through_sql(scene: &Scene, dice: &mut Dice) -> Mutation {
    let filled: Vec<&Table> = scene.tables.iter().filter(|table| table.rows > 0).collect();
    let table = *dice.pick(&filled);
    let name = &table.name;
    let history = format!("history{}", dice.below(scene.history.len()));
    let covered: Vec<&String> = table.columns.iter().filter(|column| *column != "mac").collect();
    let column = *dice.pick(&covered);
    let (one, other) = (row(table, dice), row(table, dice));
    let rest: Vec<&str> =
        table.columns.iter().filter(|column| !table.key.contains(*column)).map(String::as_str).collect();
    let (kind, sql) = match dice.below(14) {
        0 => ("a column set to something", format!("update {name} set {column} = {} where {one}", value(dice))),
        1 => (
            "a column of another row",
            format!("update {name} set {column} = (select {column} from {name} where {other}) where {one}"),
        ),
        2 => (
            "a column of an earlier state",
            format!("update {name} set {column} = (select h.{column} from {history}.{name} h where {}) where {one}", same_key(table)),
        ),
        3 => (
            "two rows swapped",
            format!(
                "create temp table two as select * from main.{name} where {one} or {other};
                 update {name} set ({columns}) = (select {columns} from two where {other}) where {one};
                 update {name} set ({columns}) = (select {columns} from two where {one}) where {other}",
                columns = rest.join(", "),
            ),
        ),
        4 => (
            "two sealed secrets swapped",
            "create temp table two as select token_id, sealed, mac from secrets order by random() limit 2;
             update secrets set sealed = (select t.sealed from two t where t.token_id <> secrets.token_id)
               where token_id in (select token_id from two)"
                .to_owned(),
        ),
        5 => ("a row deleted", format!("delete from {name} where {one}")),
        6 => (
            "a row put in",
            format!(
                "create temp table more as select * from main.{name} where {one};
                 update more set {key} = {key} || '1'; insert or ignore into {name} select * from more",
                key = table.key[table.key.len() - 1],
            ),
        ),
        7 => ("a row put back", format!("insert or replace into {name} select * from {history}.{name} h where {}", of_history(table, dice, &history))),
        8 => (
            "a table put back",
            format!(
                "delete from {name}; insert or ignore into {name} select * from {history}.{name};
                 insert or replace into evidence select * from {history}.evidence where name = '{name}'"
            ),
        ),
        9 => return log(scene, dice),
        10 => (
            "the row of the cluster put back",
            format!("delete from cluster; insert into cluster select * from {history}.cluster"),
        ),
        11 => (
            "all evidence put back",
            format!(
                "delete from {name}; insert or ignore into {name} select * from {history}.{name}; delete from evidence;
                 insert into evidence select * from {history}.evidence; delete from cluster;
                 insert into cluster select * from {history}.cluster"
            ),
        ),
        12 => ("all MACs taken away", "update cluster set mac = null; delete from evidence".to_owned()),
        _ => (
            "a trigger",
            "create trigger theirs after insert on audit begin update people set operator = 1; end".to_owned(),
        ),
    };
    Mutation::Sql { kind, sql }
}

/// What cuts the two chains.
fn log(scene: &Scene, dice: &mut Dice) -> Mutation {
    let log = scene.tables.iter().find(|table| table.name == "change_log").unwrap();
    let seq = 1 + dice.below(usize::try_from(log.rows).unwrap() - 1);
    let (kind, sql) = match dice.below(3) {
        0 => (
            "the log cut at its end",
            format!(
                "delete from change_log where seq > {seq};
                 update cluster set head = {seq}, chain = (select chain from change_log where seq = {seq})"
            ),
        ),
        1 => (
            "the log cut at its beginning",
            format!("delete from change_log where seq <= {seq}; update cluster set floor = {seq}"),
        ),
        _ => (
            "the audit trail cut",
            format!(
                "delete from audit where number > {seq};
                 update cluster set audit_head = {seq}, audit_hash = (select hash from audit where number = {seq})"
            ),
        ),
    };
    Mutation::Sql { kind, sql }
}

/// A condition that holds for one row of the table.
fn row(table: &Table, dice: &mut Dice) -> String {
    let place = dice.below(usize::try_from(table.rows).unwrap());
    let key = table.key.join(", ");
    format!("({key}) = (select {key} from main.{} order by {key} limit 1 offset {place})", table.name)
}

fn same_key(table: &Table) -> String {
    let equal: Vec<String> =
        table.key.iter().map(|column| format!("h.{column} = {}.{column}", table.name)).collect();
    equal.join(" and ")
}

fn of_history(table: &Table, dice: &mut Dice, history: &str) -> String {
    let place = dice.below(usize::try_from(table.rows).unwrap());
    let keys: Vec<String> = table.key.iter().map(|column| format!("h.{column}")).collect();
    let key = table.key.join(", ");
    format!(
        "({}) = (select {key} from {history}.{} order by {key} limit 1 offset {place})",
        keys.join(", "),
        table.name
    )
}

/// Something a column may hold.
fn value(dice: &mut Dice) -> String {
    let values = [
        "null",
        "0",
        "1",
        "2",
        "-1",
        "14",
        "9999999999999",
        "''",
        "'enabled'",
        "'active'",
        "'[]'",
        "x''",
        "zeroblob(32)",
    ];
    (*dice.pick(&values)).to_owned()
}
