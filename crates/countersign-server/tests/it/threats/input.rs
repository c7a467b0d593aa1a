//! T-25: five hundred texts, from the worst corners of Unicode, JSON, SQL, HTML, shells and spreadsheets, into every
//! field that takes text. Each is stored exactly as it was answered, or refused with a reason; never a failure of ours.

use std::collections::BTreeSet;

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use serde_json::{Value, json};

use crate::harness::{ADMINISTRATOR, Answer, Client, World, user_id};

const INPUTS: usize = 500;

/// Letters that are invisible, turn text around, join, or are no characters.
const CODES: [u32; 54] = [
    0x7f, 0x80, 0x85, 0x9f, 0xa0, 0xad, 0x34f, 0x61c, 0x115f, 0x1680, 0x17b4, 0x180e, 0x2000, 0x200b, 0x200c,
    0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x202f, 0x2060, 0x2066,
    0x2067, 0x2068, 0x2069, 0x206f, 0x2800, 0x3000, 0x3164, 0xe000, 0xfdd0, 0xfe0f, 0xfeff, 0xffa0, 0xfff9,
    0xfffc, 0xfffd, 0xfffe, 0xffff, 0x1_d173, 0x1_f1e6, 0x1_f3fb, 0xe_0001, 0xe_0041, 0xe_0100, 0xf_0000,
    0x1f_fff, 0x10_ffff,
];
/// Not UTF-8, and escapes that are no characters.
const BROKEN: [&[u8]; 27] = [
    b"\xff",
    b"\xfe\xff",
    b"\xc0\x80",
    b"\xc1\xbf",
    b"\xe0\x80\x80",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"a\x80",
    b"\xc3",
    b"\xe2\x82",
    b"\\ud800",
    b"\\udfff",
    b"\\ud800\\ud800",
    b"\\udc00\\ud800",
    b"\\ud83d\\ude00",
    b"\\u00",
    b"\\x41",
    b"\\",
    b"\\u0000",
    b"\\u202e",
    b"\"",
    b"\\\"",
    b"\\/",
    b"\\b\\f\\n\\r\\t",
];
/// Composed and not, folded and not, wide and narrow, right to left.
const LETTERS: [&str; 25] = [
    "Caf\u{e9}",
    "Cafe\u{301}",
    "\u{212b}",
    "\u{fb01}",
    "\u{df}",
    "\u{1e9e}",
    "\u{130}",
    "\u{131}",
    "\u{3c2}",
    "\u{1c4}",
    "\u{5317}\u{4eac}",
    "\u{5d0}\u{5d1}",
    "\u{645}\u{631}\u{62d}\u{628}\u{627}",
    "\u{1f469}\u{200d}\u{1f680}",
    "\u{1f1e9}\u{1f1ea}",
    "\u{ac00}",
    "\u{1100}\u{1161}",
    "Z\u{351}\u{36b}\u{343}\u{32a}",
    "\u{ff21}\u{ff22}",
    "\u{1d400}",
    "\u{2460}",
    "\u{bd}",
    "\u{e33}",
    "\u{fdfa}",
    "\u{1f82}",
];
const LENGTHS: [usize; 16] = [0, 1, 2, 99, 100, 101, 127, 128, 254, 255, 256, 500, 501, 1_000, 4_096, 30_000];
/// What other languages would make something of.
const FOREIGN: [&str; 70] = [
    "'; drop table tokens; --",
    "' or '1'='1",
    "%",
    "_",
    "%%%_",
    "\\\\%",
    "$1",
    "?1",
    ":name",
    "a' || 'b",
    "null",
    "NULL",
    "undefined",
    "NaN",
    "true",
    "0",
    "-0",
    "1e309",
    "0x10",
    "[]",
    "{}",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "#{7*7}",
    "<%= 7 %>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;",
    "&#0;",
    "javascript:alert(1)",
    "]]>",
    "<!--",
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "|calc",
    ";ls",
    "`id`",
    "$(id)",
    "& del *",
    "../../../etc/passwd",
    "..\\\\..\\\\x",
    "C:\\\\con",
    "nul",
    "/dev/null",
    "%00",
    "%0d%0aSet-Cookie: x",
    "%2e%2e%2f",
    "a@b",
    "\\u001b[31mred",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "acc_01jt3x9k7dfq4v8m2n6p0r5s1w",
    "tok_",
    "csign_",
    "Bearer x",
    "a,b",
    "a;b",
    "a|b",
    "a\\tb",
    "(?:a+)+$",
    "((((((((((x",
    "%s%s%s%n",
    "{0}",
    "\\u2028",
    "\\ufeff",
    "a\\u0300\\u0301\\u0302",
];

/// What is sent: the bytes between the quotes of a JSON text.
fn inputs() -> Vec<Vec<u8>> {
    // Every control character, raw and escaped.
    let controls =
        (0..=0x1f_u8).flat_map(|code| [vec![b'a', code, b'b'], format!("a\\u{code:04x}b").into_bytes()]);
    let codes = CODES.into_iter().filter_map(char::from_u32);
    let codes =
        codes.flat_map(|letter| [format!("a{letter}b").into_bytes(), letter.to_string().into_bytes()]);
    let letters =
        LETTERS.into_iter().flat_map(|text| [text.to_owned(), text.repeat(12), format!("  {text}\t")]);
    let lengths = LENGTHS
        .into_iter()
        .flat_map(|length| ["x".repeat(length), "\u{1f600}".repeat(length.min(12_000)), " ".repeat(length)]);
    let mut inputs: Vec<Vec<u8>> = controls.chain(codes).collect();
    inputs.extend(BROKEN.map(<[u8]>::to_vec));
    inputs.extend(letters.chain(lengths).map(String::into_bytes));
    inputs.extend(FOREIGN.map(|text| text.as_bytes().to_vec()));
    // The rest at random: letters from everywhere.
    let mut random = ChaCha20Rng::seed_from_u64(25);
    while inputs.len() < INPUTS {
        let letters = (0..random.next_u32() % 60).filter_map(|_| {
            let planes = [0x80, 0x800, 0x1_0000, 0x11_0000];
            char::from_u32(random.next_u32() % planes[random.next_u32() as usize % 4])
        });
        let plain = |letter: &char| !matches!(letter, '"' | '\\') && !letter.is_control();
        inputs.push(letters.filter(plain).collect::<String>().into_bytes());
    }
    inputs
}

/// A body with the input as the value of one field. It may be no JSON at all: that is one of the questions.
fn body(mut whole: Value, field: &str, input: &[u8]) -> Vec<u8> {
    whole[field] = json!("@@");
    let text = whole.to_string();
    let (front, back) = text.split_once("@@").unwrap();
    [front.as_bytes(), input, back.as_bytes()].concat()
}

/// Where the inputs go, and what came of them.
struct Trial {
    world: World,
    ada: Client,
    contact: String,
    /// The tokens of an account, and one that is edited.
    tokens: String,
    changed: String,
    edit: u64,
    asked: usize,
    kept: usize,
    refusals: BTreeSet<String>,
}

impl Trial {
    async fn new() -> Self {
        let world = World::new().await;
        let account = world.account("one").await;
        let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
        let contact = user_id(&ada).await;
        world.token(&account, &ada, "Changed", &[]).await;
        let tokens = format!("/api/v1/accounts/{account}/tokens");
        let listed = ada.get(&tokens).await.expect(200).json();
        let changed = format!("{tokens}/{}", listed["items"][0]["id"].as_str().unwrap());
        let refusals = BTreeSet::new();
        Self { world, ada, contact, tokens, changed, edit: 1, asked: 0, kept: 0, refusals }
    }

    /// One input into every field that takes text.
    async fn try_everywhere(&mut self, number: usize, input: &[u8]) {
        let (changed, tokens) = (self.changed.clone(), self.tokens.clone());
        let account = json!({ "kind": "brand", "external_id": format!("e{number}"), "name": "n" });
        let token = json!({ "name": format!("t{number}"), "primary_contact": self.contact });
        let sign_in = json!({ "email": format!("e{number}@example.com"), "password": "p" });
        for (method, path, whole, field) in [
            ("PATCH", changed.as_str(), json!({}), "name"),
            ("PATCH", &changed, json!({}), "description"),
            ("PATCH", &changed, json!({}), "primary_contact"),
            ("POST", &tokens, token, "scopes"),
            ("POST", "/api/v1/accounts", account.clone(), "name"),
            ("POST", "/api/v1/accounts", account, "external_id"),
            ("POST", "/api/v1/gateways", json!({}), "name"),
            ("POST", "/api/v1/session", sign_in.clone(), "email"),
            ("POST", "/api/v1/session", sign_in, "password"),
        ] {
            let client = if path.starts_with(&tokens) { &self.ada } else { &self.world.operator };
            // Everybody signs in from somewhere else, so that none is slowed down.
            let address = format!("10.0.{}.{}", number / 250, number % 250);
            let client = client.at_address(Box::leak(address.into_boxed_str()));
            let request = client.request(method, path).header("content-type", "application/json");
            let request = request.header("if-match", &format!("\"{}\"", self.edit));
            let answer = request.body(body(whole, field, input)).send().await;
            self.asked += 1;
            let about =
                format!("{method} {path} {field} {:?}: {}", String::from_utf8_lossy(input), answer.text());
            self.judge(path, field, &answer, &about).await;
        }
    }

    /// A refusal with a reason; or what was answered is what is there.
    async fn judge(&mut self, path: &str, field: &str, answer: &Answer, about: &str) {
        let json = answer.json();
        if !answer.status.is_success() {
            assert!(answer.status.is_client_error(), "{about}");
            assert!(!answer.code().is_empty() && !json["detail"].as_str().unwrap().is_empty(), "{about}");
            self.refusals.insert(answer.code());
            return;
        }
        self.kept += 1;
        let told = json.get("token").or(json.get("account")).or(json.get("gateway")).unwrap_or(&json);
        let there = if path == self.changed {
            self.edit = told["edit"].as_u64().unwrap();
            self.ada.get(path).await
        } else if path == "/api/v1/accounts" {
            self.world.operator.get(&format!("{path}/{}", told["id"].as_str().unwrap())).await
        } else {
            self.world.operator.get(&format!("{path}/{}", told["name"].as_str().unwrap())).await
        };
        assert_eq!(there.expect(200).json()[field], told[field], "{about}");
        let text = told[field].as_str().unwrap_or_default();
        let hidden = |letter: char| letter.is_control() && letter != '\n';
        let turns = |letter| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!text.chars().any(|letter| hidden(letter) || turns(letter)), "{about}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_inputs_are_stored_as_answered_or_refused() {
    let (mut trial, inputs) = (Trial::new().await, inputs());
    assert!(inputs.len() >= INPUTS);
    for (number, input) in inputs.iter().enumerate() {
        trial.try_everywhere(number, input).await;
    }
    let Trial { asked, kept, refusals, .. } = trial;
    println!(
        "T-25: {} inputs, {asked} requests, {kept} kept as answered, refused as {refusals:?}",
        inputs.len()
    );
    assert!(kept > 400, "only {kept} were kept: the good ones are refused too");
}
