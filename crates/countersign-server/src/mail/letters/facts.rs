//! The facts of a notice as letters show them: which there are, what they are called in each language, and how they are
//! cleaned. Facts come from people; whatever they hold, here they become one visible line of bounded length.

use std::collections::BTreeMap;

use countersign_model::time::Timestamp;
use minijinja::Value;
use serde_json::Value as Json;

use super::words::Language;
use crate::limits::{LETTER_BODY_CHARS_MAX, LETTER_LIST_MAX, LETTER_VALUE_CHARS_MAX};

/// How a fact is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A text, a number, or a list of texts.
    Plain,
    /// A moment in RFC 3339.
    Moment,
    /// An address somebody may follow: ours, or one of the operator's catalog.
    Link,
    /// Yes or no; never shown by itself.
    Flag,
}

/// Every fact a letter may name; those with names are shown, in this order.
const FACTS: [(&str, Shape, Option<[&str; 2]>); 32] = [
    ("token", Shape::Plain, Some(["Token", "令牌名称"])),
    ("sid", Shape::Plain, Some(["Account SID", "帐户 SID"])),
    ("credential", Shape::Plain, Some(["Legacy credential", "旧版凭据"])),
    ("account", Shape::Plain, Some(["Account", "帐户"])),
    ("email", Shape::Plain, Some(["Address", "地址"])),
    ("role", Shape::Plain, Some(["Role", "角色"])),
    ("actor", Shape::Plain, Some(["Done by", "操作者"])),
    ("at", Shape::Moment, Some(["When", "时间"])),
    ("changed", Shape::Plain, Some(["Changed", "已更改"])),
    ("scopes_added", Shape::Plain, Some(["API scopes added", "新增的 API 范围"])),
    ("scopes_removed", Shape::Plain, Some(["API scopes removed", "移除的 API 范围"])),
    ("api_version", Shape::Plain, Some(["API version", "API 版本"])),
    ("from_version", Shape::Plain, Some(["API version before", "原 API 版本"])),
    ("to_version", Shape::Plain, Some(["API version now", "现 API 版本"])),
    ("expires_at", Shape::Moment, Some(["Expires", "到期时间"])),
    ("overlap_ends_at", Shape::Moment, Some(["Old Auth Token ends", "旧认证令牌失效时间"])),
    ("overlap_uses", Shape::Plain, Some(["Uses of the old one", "旧认证令牌使用次数"])),
    ("overlap_last_used_at", Shape::Moment, Some(["Old one last used", "旧认证令牌上次使用"])),
    ("overlap_last_used_from", Shape::Plain, Some(["From where", "上次使用来源"])),
    ("latest_version", Shape::Plain, Some(["Latest API version", "最新 API 版本"])),
    ("deprecated_at", Shape::Moment, Some(["Deprecated", "弃用时间"])),
    ("sunset_at", Shape::Moment, Some(["Version ends", "版本停用时间"])),
    ("notes_url", Shape::Link, Some(["What changes", "变更说明"])),
    ("successor_url", Shape::Link, Some(["Create its successor", "创建后继令牌"])),
    ("url", Shape::Link, Some(["Webhook", "Webhook"])),
    ("since", Shape::Moment, Some(["Failing since", "开始失败于"])),
    ("reason", Shape::Plain, Some(["Reason", "原因"])),
    ("days", Shape::Plain, None),
    ("title", Shape::Plain, None),
    ("kind", Shape::Plain, None),
    ("by_operator", Shape::Flag, None),
    ("reset", Shape::Flag, None),
];

/// Every fact by its name, cleaned; absent ones are null, so that templates can ask for them.
pub(super) fn named(facts: &Json) -> BTreeMap<&'static str, Value> {
    let read = |&(name, shape, _): &(&'static str, Shape, Option<[&str; 2]>)| {
        let value = match (shape, facts.get(name)) {
            (Shape::Flag, Some(Json::Bool(flag))) => Value::from(*flag),
            (Shape::Plain, Some(Json::Number(number))) => Value::from(number.as_i64()),
            (Shape::Flag, _) | (_, None) => Value::from(()),
            (shape, Some(fact)) => shown(shape, fact).map_or(Value::from(()), Value::from),
        };
        (name, value)
    };
    FACTS.iter().map(read).collect()
}

/// What codes in facts are called: fields of a token, and legacy credentials.
const CODES: [(&str, [&str; 2]); 10] = [
    ("scopes", ["API scopes", "API 范围"]),
    ("api_version", ["API version", "API 版本"]),
    ("primary_contact", ["primary contact", "主要联系人"]),
    ("developer_emails", ["developer e-mail addresses", "开发者邮箱"]),
    ("expires_at", ["expiry", "到期时间"]),
    ("addresses", ["allowed addresses", "允许的地址"]),
    ("rate_limit", ["rate limit", "速率限制"]),
    ("overlap", ["overlap ended", "重叠期已结束"]),
    ("read_write", ["read/write", "读/写"]),
    ("read_only", ["read-only", "只读"]),
];

/// The lines of the table: every fact that is there and has a name for readers.
pub(super) fn rows(facts: &Json, language: Language) -> Vec<BTreeMap<&'static str, Value>> {
    let read = |&(name, shape, labels): &(&str, Shape, Option<[&'static str; 2]>)| {
        let label = language.choose(labels?);
        let value = match name {
            "actor" => actor(facts, language)?,
            "changed" | "credential" => shown(shape, &in_words(facts.get(name)?, language))?,
            // Roles have ids such as `account_administrator`; their names are the catalog's, which a letter does not read.
            "role" => shown(shape, facts.get(name)?)?.replace('_', " "),
            _ => shown(shape, facts.get(name)?)?,
        };
        let is_link = Value::from(shape == Shape::Link);
        Some(BTreeMap::from([("label", label.into()), ("value", value.into()), ("is_link", is_link)]))
    };
    FACTS.iter().filter_map(read).collect()
}

/// Who did it. Of somebody of the platform customers are told just that.
fn actor(facts: &Json, language: Language) -> Option<String> {
    let named = facts.get("actor").and_then(|actor| shown(Shape::Plain, actor));
    if facts.get("by_operator") != Some(&Json::Bool(true)) {
        return named;
    }
    Some(match named {
        Some(named) => named + language.choose([" (operator of the platform)", "（平台运营方）"]),
        None => language.choose(["the operator of the platform", "平台运营方"]).to_owned(),
    })
}

/// Codes as readers know them; what is no code stays as it is.
fn in_words(fact: &Json, language: Language) -> Json {
    let word = |text: &str| {
        CODES.iter().find(|(code, _)| *code == text).map_or(text, |(_, words)| language.choose(*words)).into()
    };
    match fact {
        Json::Array(entries) => entries.iter().filter_map(Json::as_str).map(word).collect(),
        Json::String(text) => word(text),
        other => other.clone(),
    }
}

/// The paragraphs of a text an operator wrote: its line breaks are kept.
pub(super) fn paragraphs(facts: &Json) -> Vec<String> {
    let Some(Json::String(body)) = facts.get("body") else { return Vec::new() };
    let body: String = body.replace("\r\n", "\n").chars().take(LETTER_BODY_CHARS_MAX).collect();
    body.split("\n\n")
        .map(|paragraph| paragraph.lines().map(visible).collect::<Vec<_>>().join("\n"))
        .map(|paragraph| paragraph.trim().to_owned())
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

/// A fact as a line; `None` where there is nothing to show.
fn shown(shape: Shape, fact: &Json) -> Option<String> {
    let text = match (shape, fact) {
        (Shape::Moment, Json::String(text)) => moment(text)?,
        (Shape::Link, Json::String(text)) => link(text)?,
        (Shape::Plain, Json::String(text)) => bounded(&visible(text)),
        (Shape::Plain, Json::Number(number)) => number.to_string(),
        (Shape::Plain, Json::Array(entries)) => list(entries),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// `2026-11-22 09:00 UTC (2026-11-22T09:00:00Z)`: the first for reading, the second to be copied.
fn moment(text: &str) -> Option<String> {
    let moment = Timestamp::from_unix_secs(Timestamp::parse_rfc3339(text)?.unix_secs()).to_string();
    let (date, time) = moment.split_once('T')?;
    Some(format!("{date} {} UTC ({moment})", time.get(..5)?))
}

/// Only what a browser opens as a page: no `javascript:`, no `data:`.
fn link(text: &str) -> Option<String> {
    let address = url::Url::parse(text).ok()?;
    matches!(address.scheme(), "http" | "https").then(|| bounded(&visible(text)))
}

fn list(entries: &[Json]) -> String {
    let texts: Vec<String> =
        entries.iter().filter_map(Json::as_str).map(visible).filter(|text| !text.is_empty()).collect();
    let more = texts.len().saturating_sub(LETTER_LIST_MAX);
    let mut line: Vec<String> = texts.into_iter().take(LETTER_LIST_MAX).map(|text| bounded(&text)).collect();
    if more > 0 {
        line.push(format!("… (+{more})"));
    }
    line.join(", ")
}

fn bounded(text: &str) -> String {
    if text.chars().count() <= LETTER_VALUE_CHARS_MAX {
        return text.to_owned();
    }
    let front: String = text.chars().take(LETTER_VALUE_CHARS_MAX - 1).collect();
    format!("{front}…")
}

/// The text without what cannot be seen: control characters become spaces, characters that turn the direction of
/// writing or break lines are left out.
fn visible(text: &str) -> String {
    let kept = text.chars().filter(|letter| !is_formatting(*letter));
    kept.map(|letter| if letter.is_control() { ' ' } else { letter }).collect::<String>().trim().to_owned()
}

fn is_formatting(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
