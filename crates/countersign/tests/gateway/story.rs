//! The main job from end to end: a token is made by the API, used through every gateway, changed, and refused.

use serde_json::{Value, json};

use crate::{
    client::{basic, statuses},
    countersign::{Account, Token},
    gateways::Habit,
    stack::{Stack, beside_each_other, each_with_its_own},
};

struct Story<'s> {
    stack: &'s Stack,
    brand: Account,
    token: Token,
}

impl<'s> Story<'s> {
    async fn begin(stack: &'s Stack) -> Self {
        let brand = stack.account("brand").await;
        let token =
            stack.countersign.token(&brand, "Reader", &["brand.actions.list", "brand.ads.list"]).await;
        Self { stack, brand, token }
    }

    fn actions(&self) -> String {
        format!("/Advertisers/{}/Actions", self.token.sid)
    }

    async fn status(&self) -> u16 {
        self.stack.get(&self.actions(), &self.token).await.status
    }

    async fn change(&self, deed: &str, body: &Value) -> Value {
        self.stack.countersign.operator(&format!("POST {}/{deed}", self.token.path), body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_request_reaches_the_back_end_with_its_identity_and_nothing_rewritten() {
    beside_each_other(async |stack| {
        let story = Story::begin(stack).await;
        let target = format!("/aDVERTISERS/{}/Actions?note=a%20b&next=/x/..//y", story.token.sid);
        let reply = story.stack.get(&target, &story.token).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.json()["operation"], "GET /Advertisers/{AccountSID}/Actions");
        let reached = story.stack.reached();
        assert_eq!(reached.len(), 1);
        let reached = &reached[0];
        assert_eq!(reached.uri, target, "byte for byte");
        assert_eq!(reached.header("x-countersign-account"), story.brand.id);
        assert_eq!(reached.header("x-countersign-account-kind"), "brand");
        assert_eq!(reached.header("x-countersign-sid"), story.token.sid);
        assert_eq!(reached.header("x-countersign-scope"), "brand.actions.list");
        assert_eq!(reached.header("x-countersign-api-version"), "14");
        assert_eq!(reached.header("x-countersign-request-id"), reply.header("x-request-id"));
        assert!(reached.header("x-countersign-request-id").starts_with("req_"));
        assert_eq!(reached.header("x-countersign-assertion"), "");
        assert_eq!(reached.header("authorization"), "", "the secret stays at the gateway");
        // Bearer names no SID; the secret is enough.
        let bearer = format!("Bearer {}", story.token.secret);
        let line = format!("GET {}", story.actions());
        assert_eq!(story.stack.send(&line, &[("authorization", &bearer)]).await.status, 200);
        // A body goes to the back end and not to Countersign, chunked or not, large or not.
        let head = format!(
            "GET {} HTTP/1.1\r\nHost: a\r\nAuthorization: {bearer}\r\nConnection: close\r\n",
            story.actions()
        );
        let large = "x".repeat(200_000);
        for (framing, body, bytes) in [
            ("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n".to_owned(), 3),
            ("Content-Length: 200000", large, 200_000),
        ] {
            let answer = story.stack.raw(format!("{head}{framing}\r\n\r\n{body}").as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{framing}: {answer}");
            assert_eq!(story.stack.reached().last().unwrap().body_bytes, bytes, "{framing}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_allow_carries_exactly_the_identity_headers_empty_where_there_is_no_value() {
    beside_each_other(async |stack| {
        let story = Story::begin(stack).await;
        let reply = story
            .stack
            .countersign
            .forward_auth(&format!("GET {}", story.actions()), Some(&story.token.basic()))
            .await;
        assert_eq!(reply.status, 200);
        let mut names: Vec<&str> = reply
            .headers
            .keys()
            .map(hyper::header::HeaderName::as_str)
            .filter(|name| name.starts_with("x-countersign"))
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "x-countersign-account",
                "x-countersign-account-kind",
                "x-countersign-api-version",
                "x-countersign-assertion",
                "x-countersign-request-id",
                "x-countersign-scope",
                "x-countersign-sid",
            ]
        );
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.body.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_token_may_not_is_refused_with_the_true_status() {
    beside_each_other(async |stack| {
        let story = Story::begin(stack).await;
        let (sid, countersign) = (&story.token.sid, &story.stack.countersign);
        // Outside of its scopes: named to whoever asks directly, bare through a gateway.
        let ads = format!("/Advertisers/{sid}/Deals");
        let ask = json!({ "authorization": story.token.basic(), "method": "GET", "uri": ads });
        let verdict = countersign.verify(&ask).await;
        assert_eq!(verdict.status, 200);
        assert_eq!(verdict.json()["status"], 403);
        assert_eq!(verdict.json()["code"], "scope_missing");
        assert_eq!(verdict.json()["scope"], "brand.deals.list");
        let direct = countersign.forward_auth(&format!("GET {ads}"), Some(&story.token.basic())).await;
        assert_eq!((direct.status, direct.json()["scope"].as_str()), (403, Some("brand.deals.list")));
        let bare = story.stack.get(&ads, &story.token).await;
        assert_eq!(bare.status, 403);
        let tells = String::from_utf8_lossy(&bare.body).contains("brand.deals");
        assert_eq!(tells, story.stack.gateway.has(Habit::PassesBodies), "{bare:?}");
        // A path of another account kind, and of another token.
        let other = countersign.token(&story.brand, "Other", &["brand.actions.list"]).await;
        for target in [format!("/Agencies/{sid}/Reports"), format!("/Advertisers/{}/Actions", other.sid)] {
            assert_eq!(story.stack.get(&target, &story.token).await.status, 403, "{target}");
            let ask = json!({ "authorization": story.token.basic(), "method": "GET", "uri": target });
            assert_eq!(countersign.verify(&ask).await.json()["code"], "account_mismatch", "{target}");
        }
        // Methods in a header change nothing; in the query of a POST they are what is decided about.
        let post = format!("POST /Advertisers/{sid}/Deals/7");
        let deleter = countersign.token(&story.brand, "Deleter", &["brand.deals.delete"]).await;
        let line = |query: &str| format!("POST /Advertisers/{}/Deals/7{query}", deleter.sid);
        let authorization = [("authorization", deleter.basic())];
        let authorization: Vec<(&str, &str)> =
            authorization.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(story.stack.send(&line(""), &authorization).await.status, 403);
        let with_header = [authorization.as_slice(), &[("x-http-method-override", "DELETE")]].concat();
        assert_eq!(story.stack.send(&line(""), &with_header).await.status, 403);
        assert_eq!(story.stack.send(&post, &[("authorization", &story.token.basic())]).await.status, 403);
        assert!(story.stack.reached().is_empty());
        let deleted = story.stack.send(&line("?_method=DELETE"), &with_header).await;
        assert_eq!(
            (deleted.status, deleted.json()["operation"].as_str()),
            (200, Some("DELETE /Advertisers/{AccountSID}/Deals/{DealId}"))
        );
        let reached = story.stack.reached();
        assert_eq!(reached[0].header("x-countersign-scope"), "brand.deals.delete");
        assert_eq!(reached[0].header("x-http-method-override"), "");
        assert_eq!(story.stack.send(&line("?_method=DELETE&_method=PUT"), &authorization).await.status, 400);
        // Credentials: none, wrong, and the right secret under another SID.
        for (authorization, error) in [
            (None, ""),
            (Some(basic(sid, "wrong")), "invalid_token"),
            (Some(basic(&other.sid, &story.token.secret)), "invalid_token"),
            (Some("Digest x".to_owned()), "invalid_request"),
        ] {
            let headers: Vec<(&str, &str)> =
                authorization.iter().map(|value| ("authorization", value.as_str())).collect();
            let reply = story.stack.send(&format!("GET {}", story.actions()), &headers).await;
            assert_eq!(reply.status, 401, "{authorization:?}");
            let challenge = reply.header("www-authenticate");
            assert!(challenge.contains("Basic realm=") && challenge.contains("Bearer realm="), "{challenge}");
            assert_eq!(challenge.contains("error="), !error.is_empty(), "{challenge}");
            assert!(challenge.contains(error), "{challenge}");
        }
        assert!(story.stack.reached().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_hold_for_the_very_next_request() {
    beside_each_other(async |stack| {
        let mut story = Story::begin(stack).await;
        for _ in 0..5 {
            assert_eq!(story.status().await, 200);
            story.change("disable", &json!({})).await;
            assert_eq!(story.status().await, 403);
            story.change("enable", &json!({})).await;
        }
        assert_eq!(story.status().await, 200);
        let before = story.token.clone();
        let reset = story.change("reset", &json!({ "confirm": true })).await;
        assert_eq!(story.status().await, 401, "the old secret");
        story.token.secret = reset["secret"].as_str().unwrap().to_owned();
        assert_eq!(story.status().await, 200, "the new secret");
        assert_eq!(before.sid, story.token.sid);
        let overlapping = story.change("reset", &json!({ "confirm": true, "overlap": "1h" })).await;
        assert_eq!(story.status().await, 200, "the old secret, for an hour");
        story.token.secret = overlapping["secret"].as_str().unwrap().to_owned();
        assert_eq!(story.status().await, 200, "and the new one");
        let account = format!("/api/v1/accounts/{}", story.brand.id);
        let switch = |enabled: bool| json!({ "enabled": enabled });
        story.stack.countersign.operator(&format!("POST {account}/api-access"), &switch(false)).await;
        assert_eq!(story.status().await, 403);
        story.stack.countersign.operator(&format!("POST {account}/api-access"), &switch(true)).await;
        assert_eq!(story.status().await, 200);
        let path = &story.token.path;
        let seen = story.stack.countersign.operator_reply(&format!("GET {path}"), &[], &Value::Null).await;
        let if_match = [("if-match", seen.header("etag"))];
        let deleted = story
            .stack
            .countersign
            .operator_reply(&format!("DELETE {path}?confirm_name=Reader"), &if_match, &Value::Null)
            .await;
        assert_eq!(deleted.status, 200, "{deleted:?}");
        assert_eq!(story.status().await, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_legacy_credential_reads_everything_and_writes_nothing() {
    beside_each_other(async |stack| {
        let partner = stack.account("partner").await;
        let made = stack
            .countersign
            .operator(&format!("POST /api/v1/accounts/{}/legacy-tokens", partner.id), &Value::Null)
            .await;
        let half = |name: &str| {
            let sid = made["legacy_tokens"][name]["sid"].as_str().unwrap().to_owned();
            let secret = made[format!("{name}_secret")].as_str().unwrap().to_owned();
            Token { path: String::new(), sid, secret }
        };
        let (read_write, read_only) = (half("read_write"), half("read_only"));
        for (line, token, status) in [
            ("GET", &read_only, 200),
            ("HEAD", &read_only, 200),
            ("POST", &read_only, 403),
            ("GET", &read_write, 200),
            ("POST", &read_write, 200),
        ] {
            let line = format!("{line} /Mediapartners/{}/MediaProperties", token.sid);
            let reply = stack.send(&line, &[("authorization", &token.basic())]).await;
            assert_eq!(reply.status, status, "{line}");
        }
        let ask = json!({ "authorization": read_only.basic(), "method": "POST",
        "uri": format!("/Mediapartners/{}/MediaProperties", read_only.sid) });
        assert_eq!(stack.countersign.verify(&ask).await.json()["code"], "write_not_allowed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_canonical_is_refused_and_not_mended() {
    beside_each_other(async |stack| {
        let story = Story::begin(stack).await;
        let sid = &story.token.sid;
        for target in [
            "//whoami".to_owned(),
            "/x/../whoami?".to_owned(),
            format!("//Advertisers/{sid}/Actions"),
            format!("/Advertisers//{sid}/Actions"),
            format!("/Advertisers/{sid}//Actions"),
            format!("/Advertisers/{sid}/x/%2e%2e/Actions"),
            format!("/Advertisers/{sid}/x/%2E./Actions"),
            format!("/Advertisers/{sid}/./Actions"),
            format!("/Advertisers/{sid}/x/../Actions"),
            format!("/Advertisers/{sid}/%2e/Actions"),
            format!("/Advertisers/{sid}/Actions;x=1"),
            format!("/Advertisers;a/{sid}/Actions"),
            format!("/Advertisers/{sid}%2fActions"),
            format!("/Advertisers/{sid}%2FActions"),
            format!("/Advertisers/{sid}%5cActions"),
            format!("/Advertisers/{sid}\\Actions"),
            format!("/Advertisers/{sid}/Actions%00"),
            format!("/Advertisers/{sid}/Actions%zz"),
            format!("/Advertisers/{sid}/Actions%ff"),
            format!("/Advertisers/{sid}/Actions%c0%af"),
        ] {
            let bytes = format!(
                "GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\nConnection: close\r\n\r\n",
                story.token.basic()
            );
            let answer = story.stack.raw(bytes.as_bytes()).await;
            // Some refuse an encoded slash by themselves, with 404.
            assert!(matches!(statuses(&answer).as_slice(), [400 | 404]), "{target}: {answer}");
        }
        assert!(story.stack.reached().is_empty());
        // Another path, not another spelling of one.
        assert_eq!(story.stack.get(&format!("/Advertisers/{sid}/Actions/"), &story.token).await.status, 403);
        assert_eq!(story.stack.get(&format!("/Advertisers/{sid}/actions"), &story.token).await.status, 403);
        // Another spelling that everybody reads in the same way goes on as it came.
        let spelled = format!("/Advertisers/{sid}/Acti%6fns");
        assert_eq!(story.stack.get(&spelled, &story.token).await.status, 200);
        let plain = format!("/Advertisers/{sid}/Actions");
        let arrives = if story.stack.gateway.has(Habit::DecodesLetters) { plain } else { spelled };
        assert_eq!(story.stack.reached()[0].uri, arrives);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_may_name_another_live_version() {
    beside_each_other(async |stack| {
        let story = Story::begin(stack).await;
        let plain = story.actions();
        let basic = story.token.basic();
        for (target, headers, status, version) in [
            (plain.clone(), vec![], 200, "14"),
            (plain.clone(), vec![("API-Version", "12")], 200, "12"),
            (format!("{plain}?ApiVersion=11"), vec![], 200, "11"),
            (format!("{plain}?apiversion=13"), vec![("api-version", "13")], 200, "13"),
            (plain.clone(), vec![("API-Version", "99")], 400, ""),
            (plain.clone(), vec![("API-Version", "x")], 400, ""),
            (format!("{plain}?ApiVersion=12"), vec![("API-Version", "13")], 400, ""),
            (plain.clone(), vec![("API-Version", "12"), ("API-Version", "13")], 400, ""),
            (format!("{plain}?ApiVersion=12&ApiVersion=13"), vec![], 400, ""),
        ] {
            let headers = [&[("authorization", basic.as_str())], headers.as_slice()].concat();
            let reply = story.stack.send(&format!("GET {target}"), &headers).await;
            assert_eq!(reply.status, status, "{target} {headers:?}");
            let reached = story.stack.reached();
            assert_eq!(reached.len(), usize::from(status == 200), "{target}");
            assert_eq!(
                reached.first().map_or("", |reached| reached.header("x-countersign-api-version")),
                version
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_hear_that_their_version_ends_and_are_refused_when_it_has() {
    each_with_its_own(async |stack: Stack| {
        let story = Story::begin(&stack).await;
        let source = countersign_model::catalog::standard_source();
        let (front, brand) = source.split_once("id = \"brand\"").unwrap();
        let dated = brand
            .replacen("number = 11\n", "number = 11\ndeprecated = 2023-01-01\nsunset = 2024-01-01\n", 1)
            .replacen(
                "number = 12\n",
                "number = 12\ndeprecated = 2026-01-01\nsunset = 2999-12-31\nnotes_url = \"https://example.com/12\"\n",
                1,
            )
            .replacen("number = 14\n", "number = 14\nnotes_url = \"https://example.com/14\"\n", 1);
        let source = format!("{front}id = \"brand\"{dated}");
        story.stack.countersign.operator("PUT /api/v1/catalog", &json!({ "source": source })).await;
        let basic = story.token.basic();
        let line = format!("GET {}", story.actions());
        let ending = story.stack.send(&line, &[("authorization", &basic), ("api-version", "12")]).await;
        assert_eq!(ending.status, 200);
        assert_eq!(ending.header("deprecation"), "@1767225600");
        assert_eq!(ending.header("sunset"), "Tue, 31 Dec 2999 00:00:00 GMT");
        let link = "<https://example.com/12>; rel=\"deprecation sunset\"; type=\"text/html\", \
                    <https://example.com/14>; rel=\"successor-version\"; type=\"text/html\"";
        assert_eq!(ending.header("link"), link);
        let mut ask =
            json!({ "authorization": basic, "method": "GET", "uri": story.actions(), "api_version": 12 });
        let verdict = story.stack.countersign.verify(&ask).await.json();
        let notice =
            json!({ "deprecation": "@1767225600", "sunset": "Tue, 31 Dec 2999 00:00:00 GMT", "link": link });
        assert_eq!(verdict["version_notice"], notice);
        ask["api_version"] = 14.into();
        assert!(story.stack.countersign.verify(&ask).await.json().get("version_notice").is_none());
        let live = story.stack.send(&line, &[("authorization", &basic)]).await;
        assert_eq!((live.status, live.header("deprecation"), live.header("sunset")), (200, "", ""));
        assert_eq!(live.header("link"), "");
        let ended = story.stack.send(&line, &[("authorization", &basic), ("api-version", "11")]).await;
        assert_eq!(ended.status, 403);
        let ask = json!({ "authorization": basic, "method": "GET", "uri": story.actions(), "api_version": 11 });
        assert_eq!(story.stack.countersign.verify(&ask).await.json()["code"], "api_version_retired");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_rate_limit_is_told_with_the_time_to_wait() {
    beside_each_other(async |stack| {
        let story = Story::begin(stack).await;
        let fields = json!({ "name": "Limited", "scopes": ["brand.actions.list"], "rate_limit": { "requests": 2, "window_secs": 7200 } });
        let limited = story.stack.countersign.token_with(&story.brand, fields).await;
        let target = format!("/Advertisers/{}/Actions", limited.sid);
        for left in [1, 0] {
            let reply = story.stack.get(&target, &limited).await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("ratelimit-policy"), "\"default\";q=2;w=7200");
            assert!(reply.header("ratelimit").starts_with(&format!("\"default\";r={left};t=")), "{reply:?}");
        }
        let refused = story.stack.get(&target, &limited).await;
        assert_eq!(refused.status, 429, "{refused:?}");
        let wait: u32 = refused.header("retry-after").parse().unwrap();
        assert!((1..=3600).contains(&wait), "{wait}");
        assert_eq!(refused.header("ratelimit"), format!("\"default\";r=0;t={wait}"));
        assert_eq!(story.stack.reached().len(), 2);
        assert_eq!(story.status().await, 200, "another token is not limited by it");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoami_is_answered_for_every_live_token() {
    each_with_its_own(async |stack: Stack| {
        let story = Story::begin(&stack).await;
        let idle = story.stack.countersign.token(&story.brand, "No scopes", &[]).await;
        let told = story.stack.get("/whoami", &idle).await;
        assert_eq!(told.json()["limits"]["expires_at"], json!(null));
        assert_eq!(told.status, 200, "{told:?}");
        assert_eq!(told.json()["token"]["sid"], idle.sid);
        assert_eq!(told.json()["token"]["name"], "No scopes");
        assert_eq!(told.json()["account"]["kind"], "brand");
        assert_eq!(told.json()["api_version"], 14);
        assert_eq!(told.json()["scopes"], json!([]));
        assert_eq!(told.header("cache-control"), "no-store");
        let fields = json!({ "name": "At home", "scopes": ["brand.ads.list"], "addresses": ["127.0.0.0/8"] });
        let home = story.stack.countersign.token_with(&story.brand, fields).await;
        assert_eq!(
            story.stack.get("/whoami", &home).await.json()["limits"]["addresses"],
            json!(["127.0.0.0/8"])
        );
        let fields = json!({ "name": "Elsewhere", "scopes": [], "addresses": ["203.0.113.0/24"] });
        let elsewhere = story.stack.countersign.token_with(&story.brand, fields).await;
        let lie = [("authorization", elsewhere.basic()), ("x-original-address", "203.0.113.5".to_owned())];
        let lie: Vec<(&str, &str)> = lie.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(story.stack.send("GET /whoami", &lie).await.status, 403);
        let limited = countersign_model::catalog::standard_source().replacen(
            "code = \"BR\"\n",
            "code = \"BR\"\ntoken_lifetime_days = 90\n",
            1,
        );
        story.stack.countersign.operator("PUT /api/v1/catalog", &json!({ "source": limited })).await;
        let told = story.stack.get("/whoami", &idle).await;
        assert!(told.json()["limits"]["expires_at"].is_string(), "the end in fact: {told:?}");
        story.stack.countersign.operator(&format!("POST {}/disable", idle.path), &json!({})).await;
        assert_eq!(story.stack.get("/whoami", &idle).await.status, 403);
        assert_eq!(story.stack.send("GET /whoami", &[]).await.status, 401);
        assert_eq!(
            story.stack.send("POST /whoami", &[("authorization", &story.token.basic())]).await.status,
            405
        );
        assert!(story.stack.reached().is_empty());
    })
    .await;
}
