//! Which tables and columns are covered, and why the others are not. A test holds these lists to the schema: whoever adds
//! a table or a column says here which it is.

/// A table whose rows carry a MAC, in a column `mac`.
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// The columns of its primary key.
    pub(crate) key: &'static [&'static str],
    /// The columns the MAC covers. A column counts by its place in this list: new ones go to the end, none ever leaves.
    /// A null is left out of the MAC, so a new column that is null in old rows changes no MAC.
    pub(crate) columns: &'static [&'static str],
    /// The columns it does not cover: when, from where and how often something was used, which is written aside.
    #[cfg_attr(
        not(test),
        allow(dead_code, reason = "read by the test that holds these lists to the schema")
    )]
    pub(crate) aside: &'static [&'static str],
}

/// The covered tables. A table counts by its name.
pub(crate) const TABLES: &[Table] = &[
    ACCOUNTS,
    ADDRESSES,
    BOOTSTRAP,
    CATALOGS,
    DEVICES,
    GATEWAYS,
    INSTALLATION_KEYS,
    INVITATIONS,
    KEY_GENERATIONS,
    MEMBERS,
    PEOPLE,
    PLATFORM_CREDENTIALS,
    REMEMBERED,
    SECRETS,
    SESSIONS,
    TOKENS,
    UNSUBSCRIBED,
    WEBHOOKS,
];

pub(crate) const ACCOUNTS: Table = Table {
    name: "accounts",
    key: &["id"],
    columns: &[
        "id",
        "external_id",
        "external_id_key",
        "kind",
        "name",
        "name_key",
        "state",
        "api_access",
        "legacy_tokens",
        "reveal",
        "token_limit",
        "data_key",
        "edit",
        "created_at",
        "updated_at",
        "token_lifetime_days",
        "data_key_root",
        "data_key_generation",
        "former_data_key",
    ],
    aside: &[],
};

const ADDRESSES: Table = Table {
    name: "addresses",
    key: &["account_id", "email_key"],
    columns: &[
        "account_id",
        "email_key",
        "email",
        "language",
        "state",
        "code",
        "code_expires_at",
        "asked_at",
        "confirmed_at",
        "bounced_at",
        "reason",
    ],
    aside: &[],
};

pub(crate) const BOOTSTRAP: Table = Table {
    name: "bootstrap",
    key: &["singleton"],
    columns: &["singleton", "code", "expires_at"],
    aside: &[],
};

pub(crate) const CATALOGS: Table = Table {
    name: "catalogs",
    key: &["number"],
    columns: &["number", "source", "numbering", "loaded_at"],
    aside: &[],
};

const DEVICES: Table =
    Table { name: "devices", key: &["user_id", "tag"], columns: &["user_id", "tag", "seen_at"], aside: &[] };

pub(crate) const GATEWAYS: Table = Table {
    name: "gateways",
    key: &["id"],
    columns: &[
        "id",
        "name",
        "credential",
        "last4",
        "peers",
        "profile",
        "created_at",
        "edit",
        "layered_over",
        "root",
        "assertion_audience",
    ],
    aside: &[],
};

const INSTALLATION_KEYS: Table = Table {
    name: "installation_keys",
    key: &["generation"],
    columns: &["generation", "root", "wrapped", "made_at"],
    aside: &[],
};

pub(crate) const INVITATIONS: Table = Table {
    name: "invitations",
    key: &["id"],
    columns: &[
        "id",
        "account_id",
        "email",
        "email_key",
        "role",
        "code",
        "expires_at",
        "created_at",
        "created_by",
    ],
    aside: &[],
};

const KEY_GENERATIONS: Table = Table {
    name: "key_generations",
    key: &["kind", "generation"],
    columns: &["kind", "generation", "state", "root", "proof", "made_at"],
    aside: &[],
};

pub(crate) const MEMBERS: Table = Table {
    name: "members",
    key: &["account_id", "user_id"],
    columns: &["account_id", "user_id", "role", "edit", "created_at"],
    aside: &[],
};

pub(crate) const PEOPLE: Table = Table {
    name: "people",
    key: &["id"],
    columns: &[
        "id",
        "email",
        "email_key",
        "name",
        "name_key",
        "language",
        "password",
        "operator",
        "active",
        "generation",
        "edit",
        "created_at",
    ],
    // Covered, a wrong password of somebody would take longer to count than one of nobody, and tell who exists.
    aside: &["failed_sign_ins", "failed_at"],
};

pub(crate) const PLATFORM_CREDENTIALS: Table = Table {
    name: "platform_credentials",
    key: &["id"],
    columns: &["id", "name", "credential", "last4", "created_at", "expires_at", "layered_over", "root"],
    aside: &[],
};

pub(crate) const REMEMBERED: Table = Table {
    name: "remembered",
    key: &["actor", "operation", "key"],
    columns: &["actor", "operation", "key", "request_hash", "token_id", "secret_generation", "expires_at"],
    aside: &[],
};

const SECRETS: Table = Table {
    name: "secrets",
    key: &["token_id", "generation"],
    columns: &[
        "token_id",
        "generation",
        "digest",
        "pepper",
        "sealed",
        "last4",
        "weak",
        "created_at",
        "ends_at",
        "layered_over",
        "data_key",
    ],
    aside: &["last_used_at", "last_used_from", "uses"],
};

pub(crate) const SESSIONS: Table = Table {
    name: "sessions",
    key: &["id"],
    columns: &[
        "id",
        "tag",
        "user_id",
        "user_generation",
        "created_at",
        "seen_at",
        "expires_at",
        "password_at",
        "client_address",
        "user_agent",
    ],
    aside: &[],
};

const TOKENS: Table = Table {
    name: "tokens",
    key: &["id"],
    columns: &[
        "id",
        "account_id",
        "sid",
        "name",
        "name_key",
        "description",
        "access",
        "scopes",
        "api_version",
        "primary_contact",
        "developer_emails",
        "state",
        "expires_at",
        "addresses",
        "rate_requests",
        "rate_window_secs",
        "made_by",
        "edit",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "access_tokens_from",
    ],
    aside: &["last_used_at", "last_used_from"],
};

const UNSUBSCRIBED: Table =
    Table { name: "unsubscribed", key: &["email_key"], columns: &["email_key", "at"], aside: &[] };

const WEBHOOKS: Table = Table {
    name: "webhooks",
    key: &["id"],
    columns: &[
        "id",
        "account_id",
        "url",
        "description",
        "events",
        "state",
        "secret",
        "former_secret",
        "former_ends_at",
        "edit",
        "created_at",
        "created_by",
    ],
    aside: &["failing_since"],
};

/// A change in the log: its MAC is verified by whoever follows the feed. It has no digest; its chain is one.
pub(crate) const CHANGE_LOG: Table = Table {
    name: "change_log",
    key: &["seq"],
    columns: &["seq", "kind", "subject", "record", "chain"],
    aside: &["at"],
};

/// Tables whose rows carry no MAC, and why.
#[cfg(test)]
pub(crate) const UNCOVERED: &[(&str, &str)] = &[
    ("cluster", "its one row has a MAC of its own, over every column"),
    ("evidence", "the MAC of the cluster covers it"),
    ("migrations", "says only what ran; the hash of the schema says what came of it"),
    ("audit", "has a chain of its own, whose end the MAC of the cluster covers"),
    ("strangers", "is written so that time tells nothing, and never read"),
    ("spent_sids", "only keeps public identifiers from being issued twice"),
    ("notices", "what people were told; it gives nobody a right"),
    ("deliveries", "what is on its way to people; it gives nobody a right"),
    ("attempts", "how deliveries went"),
    ("bounces", "what mail servers said of addresses; it gives nobody a right"),
    ("announcements", "what operators write to people; it gives nobody a right"),
    ("version_uses", "when which API version was used last"),
    ("checkpoints", "each carries a signature of its own"),
    ("audit_floor", "carries a signature of its own"),
    ("gateway_probes", "what probes of gateways found; it gives nobody a right"),
    ("use_file", "how far counts of uses were written; they are not covered either"),
    ("key_jobs", "how far a rotation has come; its steps look at the rows themselves"),
];

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::{Store, world::opening};

    fn names(connection: &Connection, sql: &str) -> Vec<String> {
        let mut prepared = connection.prepare(sql).unwrap();
        prepared.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn every_table_and_column_is_covered_or_says_why_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("countersign.db");
        drop(Store::open_sqlite(&path, &opening()).unwrap());
        let connection = Connection::open(&path).unwrap();
        let tables = names(&connection, "select name from sqlite_schema where type = 'table' order by name");
        for table in &tables {
            let covered = TABLES.iter().chain([&CHANGE_LOG]).find(|covered| covered.name == table);
            let reasons =
                UNCOVERED.iter().filter(|(name, reason)| name == table && !reason.is_empty()).count();
            let Some(covered) = covered else {
                assert_eq!(reasons, 1, "say in evidence/tables.rs whether rows of {table} are covered");
                continue;
            };
            assert_eq!(reasons, 0, "{table} is in both lists");
            let columns = names(&connection, &format!("select name from pragma_table_info('{table}')"));
            let mut listed: Vec<&str> = [covered.columns, covered.aside, &["mac"]].concat();
            let mut there: Vec<&str> = columns.iter().map(String::as_str).collect();
            listed.sort_unstable();
            there.sort_unstable();
            assert_eq!(listed, there, "the columns of {table}");
            let key = names(
                &connection,
                &format!("select name from pragma_table_info('{table}') where pk > 0 order by pk"),
            );
            assert_eq!(covered.key, key, "the primary key of {table}");
        }
        let listed = TABLES.iter().map(|table| table.name).chain(UNCOVERED.iter().map(|(name, _)| *name));
        for name in listed.chain([CHANGE_LOG.name]) {
            assert!(tables.iter().any(|table| table == name), "{name} is no table");
        }
        assert!(
            TABLES.is_sorted_by_key(|table| table.name),
            "the digests are signed in the order of the names"
        );
    }
}
