//! Threat T-12, somebody inside with too much at hand: whoever reads the audit trail sees no secret, whoever may see
//! secrets sees no list of tokens and no more than 20 secrets an hour, and nobody does anything that leaves no entry or
//! can make one disappear.

use std::collections::BTreeSet;

use countersign_server::{http::document, limits::REVEALS_PER_HOUR};
use countersign_store::{AuditEntry, AuditFilter, Outcome, PageAsk};
use serde_json::{Value, json};

use super::{
    effort::{Deadline, is_full},
    tampering::dice::Dice,
};
use crate::harness::{
    ADMINISTRATOR, ANALYST, Answer, Client, PASSWORD, SPECIALIST, World, newest_entry, user_id,
};

/// Deeds of the full count, and the least that says something.
const DEEDS_FULL: u64 = 10_000;
const DEEDS_MIN: u64 = 200;
const TOKENS_KEPT: usize = 30;
/// The administrator.
const ADA: &str = "ada@example.com";
/// Roles an operator would write for people who are to have one power only.
const NARROW_ROLES: &str = "
[[kind.role]]
id = \"auditor\"
label = { en = \"Auditor\", zh_cn = \"审计员\" }
permissions = [\"audit.view\"]

[[kind.role]]
id = \"custodian\"
label = { en = \"Custodian\", zh_cn = \"保管员\" }
permissions = [\"secrets.reveal\"]

[[kind.role]]
id = \"analyst\"";

/// An account with somebody of each power, and a token.
struct Company {
    world: World,
    path: String,
    administrator: Client,
    auditor: Client,
    custodian: Client,
    platform: Client,
    /// Somebody whose role changes.
    specialist: String,
    /// Oldest first.
    tokens: Vec<String>,
}

/// What an entry must say: the action, who did it, to what, and how it ended.
type Told = (String, String, String, Outcome);

impl Company {
    async fn new() -> Self {
        let world = World::new().await;
        let source = world.operator.get("/api/v1/catalog/source").await.expect(200).json();
        let source = source["source"].as_str().unwrap();
        // The first role of that name is the brand's.
        let source = source.replacen("\n[[kind.role]]\nid = \"analyst\"", NARROW_ROLES, 1);
        world.operator.put("/api/v1/catalog", json!({ "source": source })).await.expect(200);
        let account = world.account("company").await;
        let administrator = world.member(&account, ADA, ADMINISTRATOR).await;
        let auditor = world.member(&account, "audrey@example.com", "auditor").await;
        let custodian = world.member(&account, "carl@example.com", "custodian").await;
        let sam = world.member(&account, "sam@example.com", SPECIALIST).await;
        let specialist = user_id(&sam).await;
        let platform = world.platform("machine").await;
        let path = format!("/api/v1/accounts/{account}");
        let tokens = Vec::new();
        let mut company =
            Self { world, path, administrator, auditor, custodian, platform, specialist, tokens };
        company.tokens = vec![company.new_token("Sync").await];
        company
    }

    async fn new_token(&self, name: &str) -> String {
        let contact = user_id(&self.administrator).await;
        let new = json!({ "name": name, "primary_contact": contact, "scopes": ["brand.actions.list"] });
        let made = self.administrator.post(&format!("{}/tokens", self.path), new).await.expect(201).json();
        text(&made, "/token/id")
    }

    async fn reveal(&self, who: &Client) -> Answer {
        who.post(&format!("{}/tokens/{}/reveal", self.path, self.tokens[0]), json!({})).await
    }

    /// The account has room for so many tokens only.
    async fn delete_oldest(&mut self) -> Told {
        let token = self.tokens.remove(0);
        let at = format!("{}/tokens/{token}", self.path);
        let seen = self.administrator.get(&at).await.expect(200);
        let name = text(&seen.json(), "/name").replace(' ', "%20");
        let request = self.administrator.request("DELETE", &format!("{at}?confirm_name={name}"));
        let answer = request.header("if-match", seen.header("etag")).send().await;
        assert!(answer.status.is_success(), "{}", answer.text());
        done("token.delete", ADA, token)
    }

    /// Everything in the audit trail from a number on, oldest first.
    async fn entries_from(&self, first: u64) -> Vec<AuditEntry> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = PageAsk { after, limit: 200 };
            let found = self.world.app.store.audit(&AuditFilter::default(), &page).await.unwrap();
            let enough = found.rows.iter().any(|entry| entry.number < first);
            all.extend(found.rows.into_iter().filter(|entry| entry.number >= first));
            after = found.next;
            if enough || after.is_none() {
                all.reverse();
                return all;
            }
        }
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {value}")).to_owned()
}

fn done(action: &str, who: &str, subject: impl Into<String>) -> Told {
    (action.to_owned(), who.to_owned(), subject.into(), Outcome::Done)
}

#[tokio::test]
async fn who_audits_sees_no_secret_and_who_holds_secrets_sees_no_list() {
    let company = Company::new().await;
    let Company { path, tokens, auditor, custodian, .. } = &company;
    let token = &tokens[0];
    auditor.get(&format!("{path}/audit")).await.expect(200);
    company.reveal(auditor).await.expect_problem(403, "permission_missing");
    for below in ["/tokens", &format!("/tokens/{token}"), "/members"] {
        auditor.get(&format!("{path}{below}")).await.expect_problem(403, "permission_missing");
        custodian.get(&format!("{path}{below}")).await.expect_problem(403, "permission_missing");
    }
    custodian.get(&format!("{path}/audit")).await.expect_problem(403, "permission_missing");
    for deed in ["disable", "enable", "reset", "duplicate"] {
        let at = format!("{path}/tokens/{token}/{deed}");
        for somebody in [auditor, custodian] {
            somebody.post(&at, json!({})).await.expect_problem(403, "permission_missing");
        }
    }
    for _ in 0..REVEALS_PER_HOUR {
        let shown = company.reveal(custodian).await.expect(200).json();
        assert!(text(&shown, "/secret").starts_with("csign_"));
    }
    let refused = company.reveal(custodian).await.expect_problem(429, "reveal_limit");
    assert_eq!(refused.header("retry-after"), "3600");
    let seen = auditor.get(&format!("{path}/audit?action=secret.reveal&limit=200")).await.expect(200).json();
    let seen = seen["items"].as_array().unwrap();
    assert_eq!(seen.len(), REVEALS_PER_HOUR as usize, "whoever audits sees each of them");
    assert!(seen.iter().all(|entry| entry["actor"]["label"] == "carl@example.com"));
}

#[test]
fn no_operation_changes_or_deletes_an_entry() {
    let document = serde_json::to_value(document()).unwrap();
    let of_audit: Vec<(&String, &Value)> =
        document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.contains("/audit")).collect();
    assert!(of_audit.len() >= 3, "{of_audit:?}");
    for (path, item) in of_audit {
        let methods: BTreeSet<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
        for method in ["put", "patch", "delete"] {
            assert!(!methods.contains(method), "{method} {path}");
        }
    }
}

/// Something an administrator does to a token.
async fn of_tokens(company: &mut Company, dice: &mut Dice, turn: u64) -> Told {
    if company.tokens.len() > TOKENS_KEPT {
        return company.delete_oldest().await;
    }
    let token = dice.pick(&company.tokens).clone();
    let (ada, path) = (&company.administrator, &company.path);
    let at = |deed: &str| format!("{path}/tokens/{token}{deed}");
    match dice.below(5) {
        0 => {
            let token = company.new_token(&format!("Token {turn}")).await;
            company.tokens.push(token.clone());
            done("token.create", ADA, token)
        }
        1 => {
            let seen = ada.get(&at("")).await.expect(200).json();
            let deed = if seen["state"] == "enabled" { "disable" } else { "enable" };
            ada.post(&at(&format!("/{deed}")), json!({})).await.expect(200);
            done(&format!("token.{deed}"), ADA, token)
        }
        2 => {
            let seen = ada.get(&at("")).await.expect(200);
            let change = json!({ "description": format!("Changed in turn {turn}") });
            let request = ada.request("PATCH", &at("")).header("if-match", seen.header("etag"));
            request.json(&change).send().await.expect(200);
            done("token.update", ADA, token)
        }
        3 => {
            ada.post(&at("/reset"), json!({ "confirm": true })).await.expect(200);
            done("token.reset", ADA, token)
        }
        _ => {
            let made = ada.post(&at("/duplicate"), json!({})).await.expect(201).json();
            let made = text(&made, "/token/id");
            company.tokens.push(made.clone());
            done("token.duplicate", ADA, made)
        }
    }
}

/// Something that is done to people, machines and the account, or that is tried and refused.
async fn of_others(company: &Company, dice: &mut Dice, turn: u64) -> Told {
    let Company { world, path, administrator: ada, platform, .. } = company;
    let refused = |who: &str| ("access.refused".to_owned(), who.to_owned(), String::new(), Outcome::Refused);
    match dice.below(7) {
        0 => {
            let asked = json!({ "email": format!("guest{turn}@example.com"), "role": ANALYST });
            let made = ada.post(&format!("{path}/invitations"), asked).await.expect(201).json();
            let invitation = text(&made, "/invitation/id");
            done("invitation.create", ADA, invitation)
        }
        1 => {
            let sam = &company.specialist;
            let at = format!("{path}/members/{sam}");
            let members = ada.get(&format!("{path}/members?limit=200")).await.expect(200).json();
            let mut rows = members["items"].as_array().unwrap().iter();
            let now = rows.find(|row| row["user_id"] == sam.as_str()).unwrap();
            let role = if now["role"] == SPECIALIST { ANALYST } else { SPECIALIST };
            ada.request("PATCH", &at).json(&json!({ "role": role })).send().await.expect(200);
            done("member.update", ADA, sam)
        }
        2 => {
            let new = json!({ "name": format!("edge-{turn}") });
            let made = world.operator.post("/api/v1/gateways", new).await.expect(201).json();
            done("gateway.create", "operator@example.com", text(&made, "/gateway/id"))
        }
        3 => {
            let seen = platform.get(path).await.expect(200);
            let request = platform.request("PATCH", path).header("if-match", seen.header("etag"));
            request.json(&json!({ "name": format!("Company {turn}") })).send().await.expect(200);
            done("account.update", "machine", path.rsplit('/').next().unwrap())
        }
        4 => {
            let made = world.sign_in("carl@example.com", PASSWORD).await.expect(201).json();
            done("session.create", "carl@example.com", text(&made, "/session/id"))
        }
        5 => {
            ada.get("/api/v1/people").await.expect(403);
            refused(ADA)
        }
        _ => {
            company.auditor.get(&format!("{path}/tokens")).await.expect(403);
            refused("audrey@example.com")
        }
    }
}

#[tokio::test]
async fn every_deed_of_an_insider_is_in_the_audit_trail() {
    let mut company = Company::new().await;
    let (mut dice, deadline) = (Dice::new(12), Deadline::budget(10));
    let first = newest_entry(&company.world).await.number + 1;
    let mut told: Vec<Told> = Vec::new();
    let count = if is_full() { DEEDS_FULL } else { u64::MAX };
    while (told.len() as u64) < DEEDS_MIN || ((told.len() as u64) < count && !deadline.is_over()) {
        let turn = told.len() as u64;
        let of_token = dice.below(2) == 0;
        told.push(if of_token {
            of_tokens(&mut company, &mut dice, turn).await
        } else {
            of_others(&company, &mut dice, turn).await
        });
    }
    let entries = company.entries_from(first).await;
    for (place, (entry, told)) in entries.iter().zip(&told).enumerate() {
        assert_eq!(entry.number, first + place as u64, "no number is left out");
        let (action, who, subject, outcome) = told;
        let says = (&entry.action, &entry.actor_label, entry.outcome);
        assert_eq!(says, (action, who, *outcome), "deed {place}: {entry:?}");
        assert!(subject.is_empty() || entry.subject == *subject, "deed {place}: {told:?}: {entry:?}");
    }
    assert_eq!(entries.len(), told.len(), "each has one entry, and nothing else has any");
    let kinds: BTreeSet<&str> = told.iter().map(|(action, ..)| action.as_str()).collect();
    assert!(kinds.len() >= 11, "{kinds:?}");
    let whole = company.world.operator.post("/api/v1/audit/verify", json!({})).await.expect(200).json();
    assert_eq!(whole["whole"], true, "{whole}");
    println!("T-12: {} deeds of {} kinds, each with its entry", told.len(), kinds.len());
}
