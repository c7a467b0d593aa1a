//! Bodies that are not what they should be (T-25): refused whole, told what to do, never a failure of ours.

use serde_json::json;

use crate::harness::World;

fn nested(depth: usize) -> String {
    format!("{{\"name\":{}1{}}}", "[".repeat(depth), "]".repeat(depth))
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let world = World::new().await;
    let post = |body: Vec<u8>| {
        world
            .operator
            .request("POST", "/api/v1/accounts")
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    let bad: Vec<(&str, Vec<u8>, u16)> = vec![
        ("empty", b"".to_vec(), 400),
        ("blank", b"  \n".to_vec(), 400),
        ("cut off", b"{\"external_id\":\"a\"".to_vec(), 400),
        ("more behind", b"{} {}".to_vec(), 400),
        ("comma behind", b"{\"name\":\"a\",}".to_vec(), 400),
        ("comment", b"{/* */}".to_vec(), 400),
        ("single quotes", b"{'name':'a'}".to_vec(), 400),
        ("bare word", b"{name:1}".to_vec(), 400),
        ("NaN", b"{\"token_limit\":NaN}".to_vec(), 400),
        ("too large a number", b"{\"token_limit\":1e999}".to_vec(), 400),
        ("leading zero", b"{\"token_limit\":01}".to_vec(), 400),
        ("hexadecimal", b"{\"token_limit\":0x10}".to_vec(), 400),
        ("byte order mark", b"\xef\xbb\xbf{}".to_vec(), 400),
        ("not UTF-8", b"{\"name\":\"\xff\"}".to_vec(), 400),
        ("overlong NUL", b"{\"name\":\"\xc0\x80\"}".to_vec(), 400),
        ("surrogate in bytes", b"{\"name\":\"\xed\xa0\x80\"}".to_vec(), 400),
        ("lone surrogate", b"{\"name\":\"\\ud800\"}".to_vec(), 400),
        ("raw NUL", b"{\"name\":\"a\0b\"}".to_vec(), 400),
        ("escaped NUL", b"{\"name\":\"a\\u0000b\"}".to_vec(), 400),
        ("NUL in a key", b"{\"na\\u0000me\":\"a\"}".to_vec(), 400),
        ("raw line feed", b"{\"name\":\"a\nb\"}".to_vec(), 400),
        ("same key twice", b"{\"name\":\"a\",\"name\":\"b\"}".to_vec(), 400),
        ("same key twice, spelled differently", b"{\"name\":\"a\",\"n\\u0061me\":\"b\"}".to_vec(), 400),
        (
            "same key twice inside",
            b"{\"administrator\":{\"email\":\"a@example.com\",\"email\":\"b@example.com\"}}".to_vec(),
            400,
        ),
        ("too deep", nested(40).into_bytes(), 400),
        ("much too deep", nested(30_000).into_bytes(), 400),
        ("unknown field", b"{\"is_admin\":true}".to_vec(), 400),
        ("prototype", b"{\"__proto__\":{}}".to_vec(), 400),
        ("too large", vec![b' '; 65 * 1024], 413),
    ];
    for (what, body, status) in bad {
        let answer = post(body).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
    }
    assert_eq!(
        world.operator.get("/api/v1/accounts").await.json()["items"],
        json!([]),
        "nothing was written"
    );
}

#[tokio::test]
async fn fields_that_are_wrong_are_named() {
    let world = World::new().await;
    let good = json!({ "external_id": "a", "kind": "brand", "name": "A", "token_limit": 7, "reveal": "once",
        "administrator": { "email": "a@example.com" } });
    let wrong = [
        ("/external_id", json!(7), "external_id"),
        ("/external_id", json!(""), "external_id"),
        ("/external_id", json!("x".repeat(101)), "external_id"),
        ("/external_id", json!("\u{7f}"), "external_id"),
        ("/kind", json!(null), "kind"),
        ("/kind", json!([]), "kind"),
        ("/kind", json!("Brand"), "kind"),
        ("/name", json!({}), "name"),
        ("/name", json!("\u{202e}gnp"), "name"),
        ("/name", json!("a\u{0}".trim_end_matches('\u{0}').to_owned() + "\u{1b}[31m"), "name"),
        ("/name", json!("x".repeat(101)), "name"),
        ("/name", json!(" \u{3000} "), "name"),
        ("/token_limit", json!(-1), "token_limit"),
        ("/token_limit", json!(1.5), "token_limit"),
        ("/token_limit", json!(4_294_967_296_u64), "token_limit"),
        ("/token_limit", json!("7"), "token_limit"),
        ("/token_limit", json!(true), "token_limit"),
        ("/administrator", json!("a@example.com"), "administrator"),
        ("/administrator", json!(["a@example.com"]), "administrator"),
        ("/reveal", json!({ "once": null }), "reveal"),
        ("/reveal", json!(["once"]), "reveal"),
        ("/administrator/email", json!("a@example.com\r\nBcc: b@example.com"), "administrator.email"),
        ("/administrator/email", json!(7), "administrator.email"),
        ("/administrator/email", json!(format!("{}@example.com", "x".repeat(300))), "administrator.email"),
    ];
    for (pointer, value, field) in wrong {
        let mut body = good.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        let answer = world.operator.post("/api/v1/accounts", body.clone()).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
        assert_eq!(answer.json()["field"], field, "{body}");
    }
    let answer = world.operator.post("/api/v1/accounts", json!({ "kind": "brand" })).await.expect(422);
    assert_eq!(answer.json()["field"], "external_id");
    let answer = world.operator.post("/api/v1/accounts", json!([good])).await.expect(422);
    assert_eq!(answer.json()["field"], "body");
    let nested_unknown = json!({ "external_id": "a", "kind": "brand", "name": "A", "administrator": { "email": "a@example.com", "role": "x" } });
    let answer =
        world.operator.post("/api/v1/accounts", nested_unknown).await.expect_problem(400, "field_unknown");
    assert_eq!(answer.json()["field"], "administrator.role");
    assert_eq!(
        world.operator.get("/api/v1/accounts").await.json()["items"],
        json!([]),
        "nothing was written"
    );
}

/// A list in the order of the fields is no second spelling of an object, however the type inside is written.
#[tokio::test]
async fn lists_are_not_read_as_objects() {
    let world = World::new().await;
    let account = world.account("one").await;
    let profile = json!({ "name": "edge", "profile": ["x-method", "x-uri", "x-address", 1] });
    let limited =
        json!({ "name": "Sync", "primary_contact": "usr_01jt3x9k7dfq4v8m2n6p0r5s1w", "rate_limit": [5, 60] });
    for (path, body, field) in [
        ("/api/v1/gateways".to_owned(), profile, "profile"),
        (format!("/api/v1/accounts/{account}/tokens"), limited, "rate_limit"),
    ] {
        let answer = world.operator.post(&path, body).await.expect_problem(422, "field_invalid");
        assert_eq!(answer.json()["field"], field);
        assert!(answer.text().contains("names for its fields"), "{}", answer.text());
    }
}

#[tokio::test]
async fn what_is_stored_is_what_was_answered() {
    let world = World::new().await;
    for (number, (given, kept)) in [
        ("Plain", "Plain"),
        ("  trimmed\t", "trimmed"),
        ("Cafe\u{301}", "Caf\u{e9}"),
        ("\u{5317}\u{4eac} \u{5546}\u{5e97}", "\u{5317}\u{4eac} \u{5546}\u{5e97}"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("'; DROP TABLE accounts; --", "'; DROP TABLE accounts; --"),
        ("=1+1", "=1+1"),
        ("%00%0a\\u0000", "%00%0a\\u0000"),
        ("\u{1f469}\u{200d}\u{1f680}", "\u{1f469}\u{200d}\u{1f680}"),
    ]
    .into_iter()
    .enumerate()
    {
        let new = json!({ "external_id": format!("n{number}"), "kind": "brand", "name": given });
        let made = world.operator.post("/api/v1/accounts", new).await.expect(201).json();
        assert_eq!(made["account"]["name"], kept);
        let path = format!("/api/v1/accounts/{}", made["account"]["id"].as_str().unwrap());
        assert_eq!(world.operator.get(&path).await.expect(200).json()["name"], kept);
    }
}

#[tokio::test]
async fn media_types() {
    let world = World::new().await;
    for (media, taken) in [
        ("application/json", true),
        ("Application/JSON; charset=UTF-8", true),
        ("application/json; charset=\"utf-8\"", true),
        ("application/json; charset=utf-16", false),
        ("application/json; boundary=x", false),
        ("application/problem+json", false),
        ("text/json", false),
        ("application/json, text/plain", false),
    ] {
        let request =
            world.operator.request("PATCH", "/api/v1/profile").header("content-type", media).body("{}");
        assert_eq!(request.send().await.status, if taken { 200 } else { 415 }, "{media}");
    }
}
