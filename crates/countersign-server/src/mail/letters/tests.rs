//! For the crate's own tests: every letter, in every language and form, with facts that mean harm.

use serde_json::json;

use super::{words::Language, *};

const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "{{ 7*7 }}{% include 'layout' %}",
    "a\r\nBcc: everybody@example.com\r\n\r\n<p>more",
    "\u{202e}desrever\u{2066}\u{200f}",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='x",
    "\u{0}\u{7}\u{1b}[31m\u{85}\u{2028}",
    "&lt;b&gt;",
];

fn links() -> Links {
    Links {
        console: "https://tokens.example.com/accounts/acc_1/tokens/tok_1".to_owned(),
        once: None,
        unsubscribe: Some("https://tokens.example.com/unsubscribe#c".to_owned()),
    }
}

/// Every fact there is, each holding this text where it may hold one.
fn all_facts(text: &str) -> Json {
    json!({
        "token": text, "sid": text, "credential": text, "account": text, "email": text, "role": text, "actor": text,
        "at": "2026-11-22T09:00:00Z", "changed": [text, text], "scopes_added": vec![text; 40],
        "scopes_removed": [text], "api_version": 12, "from_version": 12, "to_version": 13,
        "expires_at": "2026-12-22T09:00:00Z", "overlap_ends_at": "2026-11-23T09:00:00Z", "overlap_uses": 17,
        "overlap_last_used_at": text, "overlap_last_used_from": text, "latest_version": 14, "deprecated_at": "2026-01-01T00:00:00Z", "sunset_at": text,
        "notes_url": text, "successor_url": "https://tokens.example.com/new?from=tok_1", "days": 7, "title": text, "url": text, "since": text, "reason": text,
        "body": format!("{0}\n\n{0}\n{0}", text.replace(['\r', '\n'], " ")), "by_operator": true, "reset": true, "kind": text,
        "unknown": text, "secret": "csign_secret",
    })
}

/// Every letter there is, by name, with these facts.
fn every_letter(facts: &Json, links: &Links) -> Vec<(String, Parts)> {
    let mut letters = Vec::new();
    for language in Language::ALL {
        for event in Event::ALL {
            if words::of(event, language).is_some() {
                let parts = compose(event, language.tag(), facts, links).unwrap();
                letters.push((format!("{event} {}", language.tag()), parts));
            }
        }
        let parts = write(words::mail_test(language), language, facts, links).unwrap();
        letters.push((format!("mail.test {}", language.tag()), parts));
    }
    letters
}

/// What is between `<` and `>`, without the layout's own styles.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|rest| rest.split('>').next()).collect()
}

#[test]
fn every_event_but_the_test_of_a_webhook_has_a_letter() {
    for event in Event::ALL {
        for language in Language::ALL {
            assert_eq!(words::of(event, language).is_some(), event != Event::WebhookTest, "{event}");
        }
    }
    assert_eq!(every_letter(&Json::Null, &links()).len(), 2 * Event::ALL.len());
}

#[test]
fn hostile_facts_stay_text() {
    let long = "\u{6d4b}".repeat(500);
    let plain = every_letter(&all_facts("Reports"), &links());
    for hostile in HOSTILE.into_iter().chain([long.as_str()]) {
        let facts = all_facts(hostile);
        for ((name, parts), (_, wanted)) in every_letter(&facts, &links()).into_iter().zip(&plain) {
            let what = format!("{name} with {hostile:?}");
            assert!(!parts.subject.chars().any(char::is_control), "{what}: {:?}", parts.subject);
            assert!(parts.subject.chars().count() <= 200 && !parts.subject.is_empty(), "{what}");
            // Tags a reader's program would see are those of the layout, however many facts are shown.
            for tag in tags(&parts.html) {
                let known = tags(&wanted.html).contains(&tag);
                assert!(known, "{what}: <{tag}>");
            }
            for shown in [&parts.subject, &parts.text, &parts.html] {
                assert!(!shown.contains("49"), "{what}: a template ran");
                assert!(!shown.contains(['\u{202e}', '\u{2066}', '\u{0}', '\u{1b}', '\r']), "{what}");
                assert!(!shown.contains("csign_"), "{what}: a fact nobody knows is shown");
            }
            let lines = |parts: &Parts| parts.text.lines().count();
            assert!(lines(&parts) <= lines(wanted), "{what}: a fact made a line: {}", parts.text);
        }
    }
}

#[test]
fn letters_hold_nothing_that_is_fetched() {
    for (name, parts) in every_letter(&all_facts("Reports"), &links()) {
        for forbidden in ["<img", "<script", "<link", "<iframe", "url(", "src=", "@import", "<style", "<form"]
        {
            assert!(!parts.html.contains(forbidden), "{name}: {forbidden}");
        }
        for tag in tags(&parts.html).into_iter().filter(|tag| tag.contains("href")) {
            assert!(
                tag.contains("href=\"https:&#x2f;&#x2f;") || tag.contains("href=\"https://"),
                "{name}: {tag}"
            );
        }
    }
}

#[test]
fn without_any_fact_every_letter_can_still_be_written() {
    for (name, parts) in every_letter(&Json::Null, &Links { unsubscribe: None, ..links() }) {
        assert!(parts.text.contains(&links().console), "{name} has no link");
        assert!(!parts.text.contains("unsubscribe"), "{name}");
        assert!(!parts.text.to_lowercase().contains("none"), "{name}: {}", parts.text);
        assert!(!parts.text.contains("\n\n\n"), "{name} has a hole:\n{}", parts.text);
    }
}

#[test]
fn a_letter_says_what_happened_to_what_by_whom_and_when() {
    let facts = json!({
        "token": "Reports", "sid": "BR0123", "account": "A & B", "actor": "ada@example.com", "by_operator": true,
        "at": "2026-11-22T09:00:00.123Z",
    });
    let parts = compose(Event::TokenReset, "en", &facts, &links()).unwrap();
    assert_eq!(parts.subject, "Access token “Reports” was reset");
    let wanted = "An access token was reset

The access token “Reports” of the account A & B has a new Auth Token. Its Account SID stays the same.

The Auth Token from before works no longer. Requests with it are denied already: put the new one everywhere it was used.

Token: Reports
Account SID: BR0123
Account: A & B
Done by: ada@example.com (operator of the platform)
When: 2026-11-22 09:00 UTC (2026-11-22T09:00:00Z)

Open the token:
https://tokens.example.com/accounts/acc_1/tokens/tok_1

If nobody in your company meant this: open the token, reset or disable it, and tell an administrator of the account. Its activity says who did what.

--
You are told because you are a contact of this token.
No more letters like this one: https://tokens.example.com/unsubscribe#c
";
    assert_eq!(parts.text, wanted);
    assert!(parts.html.contains("of the account A &amp; B has a new"), "{}", parts.html);
    let chinese = compose(Event::TokenReset, "zh-CN", &facts, &links()).unwrap();
    assert_eq!(chinese.subject, "访问令牌“Reports”已重置");
    assert!(chinese.text.contains("操作者: ada@example.com（平台运营方）"), "{}", chinese.text);
    assert!(chinese.html.contains("<html lang=\"zh-CN\">"));
}

#[test]
fn codes_are_told_in_words_and_operators_by_no_name() {
    let facts = json!({ "changed": ["scopes", "rate_limit", "later"], "credential": "read_only", "by_operator": true });
    let english = compose(Event::TokenChanged, "en", &facts, &links()).unwrap().text;
    assert!(english.contains("Changed: API scopes, rate limit, later\n"), "{english}");
    assert!(english.contains("Legacy credential: read-only\n"), "{english}");
    assert!(english.contains("Done by: the operator of the platform\n"), "{english}");
    let chinese = compose(Event::TokenChanged, "zh-CN", &facts, &links()).unwrap().text;
    assert!(chinese.contains("已更改: API 范围, 速率限制, later\n"), "{chinese}");
    assert!(chinese.contains("旧版凭据: 只读\n") && chinese.contains("操作者: 平台运营方\n"), "{chinese}");
}

#[test]
fn a_one_time_link_takes_the_place_of_the_console() {
    let links = Links { once: Some("https://tokens.example.com/confirm#once".to_owned()), ..links() };
    let facts = json!({ "account": "A brand", "email": "dev@example.com" });
    let parts = compose(Event::AddressConfirm, "en", &facts, &links).unwrap();
    assert!(parts.text.contains("confirm#once") && !parts.text.contains("acc_1"), "{}", parts.text);
}

#[test]
fn both_languages_have_the_same_templates() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mail/letters");
    let names = |language: Language| {
        let mut names: Vec<_> = std::fs::read_dir(directory.join(language.tag()))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(Language::English), names(Language::Chinese));
    assert_eq!(
        names(Language::English).len(),
        Event::ALL.len() + 1,
        "one each, the test's, and what all share"
    );
}
