//! T-23: requests whose end two servers could see in different places. Whatever gateways and Countersign make of them,
//! what hides inside of one is never answered as a request that was allowed.

use crate::{
    client,
    countersign::{Countersign, Token},
    gateways::Http2,
    stack::{Stack, beside_each_other},
};

/// Ways to say how long a body is, honest and not.
fn framings() -> Vec<String> {
    let codings = [
        "chunked",
        "Chunked",
        " chunked",
        "chunked ",
        "\tchunked",
        "\u{b}chunked",
        "chunked\u{b}",
        "xchunked",
        "chunked, identity",
        "identity, chunked",
        "identity",
        "gzip, chunked",
        "chunked, chunked",
        "chunked;q=1",
        "\"chunked\"",
        "chunk",
        "",
        "chunked\r\n identity",
        "x\r\nTransfer-Encoding: chunked",
    ];
    let names = [
        "Transfer-Encoding",
        "transfer-encoding",
        "Transfer_Encoding",
        "Transfer-Encoding ",
        "Transfer\u{b}-Encoding",
    ];
    let lengths = [
        "",
        "Content-Length: 4\r\n",
        "Content-Length: 0\r\n",
        "Content-Length: 4, 4\r\n",
        "Content-Length: +4\r\n",
        "Content-Length: 0x4\r\n",
        "Content-Length: 4\r\nContent-Length: 0\r\n",
        "Content-Length : 4\r\n",
        "Content_Length: 4\r\n",
    ];
    let mut framings: Vec<String> = lengths.iter().map(|length| (*length).to_owned()).collect();
    for coding in codings {
        for length in lengths {
            framings.push(format!("Transfer-Encoding: {coding}\r\n{length}"));
            framings.push(format!("{length}Transfer-Encoding: {coding}\r\n"));
        }
    }
    framings.extend(names.iter().map(|name| format!("{name}: chunked\r\nContent-Length: 4\r\n")));
    framings.extend(
        [
            "Expect: 100-continue\r\nContent-Length: 4\r\n",
            "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        ]
        .map(str::to_owned),
    );
    framings
}

/// What stands before the hidden request.
const CHUNKS: [&str; 3] = ["", "0\r\n\r\n", "1;x=\"y\"\r\na\r\n0\r\n\r\n"];
/// Who refuses most, Envoy, lets this many pass.
const HONEST_MIN: usize = 30;

/// T-23, through every gateway: whatever hides is seen by nobody, or decided about.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_hides_in_a_request_is_a_request() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Writer", &["brand.deals.create"]).await;
        let target = format!("/Advertisers/{}/Deals", token.sid);
        let framings = framings();
        assert!(framings.len() >= 300, "{}", framings.len());
        let mut honest = 0;
        for framing in &framings {
            for chunks in CHUNKS {
                let answer = hide(stack, &target, &token, framing, chunks).await;
                let reached = stack.reached();
                // Without a credential it is refused, so whoever reaches the back end came inside of something allowed.
                assert!(reached.iter().all(|one| one.uri == target), "{framing:?} {chunks:?}: {reached:?}");
                assert!(reached.len() <= 1, "{framing:?} {chunks:?}: {reached:?}");
                let statuses = client::statuses(&answer);
                let passed = statuses.iter().filter(|status| **status == 200).count();
                assert_eq!(
                    passed,
                    reached.len(),
                    "as many answers as requests: {framing:?} {chunks:?}: {answer}"
                );
                honest += reached.len();
            }
        }
        println!("{}: {} framings, {honest} are requests", stack.name, framings.len() * CHUNKS.len());
        assert!(honest > HONEST_MIN, "honest ones pass: {honest}");
    })
    .await;
}

/// T-23, the differential, through every gateway: of the same bytes Countersign sees no request that the gateway did not see. "Who am I?" is what a
/// gateway forwards to us, body and all, and its questions are requests of its own.
#[tokio::test(flavor = "multi_thread")]
async fn countersign_sees_no_request_that_the_gateway_did_not_see() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        let (mut forwarded, mut hidden) = (0, 0);
        for framing in framings() {
            for chunks in CHUNKS {
                let before = stack.questions.answers();
                let answer = hide(stack, "/whoami", &token, &framing, chunks).await;
                let (seen, statuses) = (stack.questions.answers() - before, client::statuses(&answer));
                assert!(seen <= statuses.len(), "{framing:?} {chunks:?}: {seen} for {answer}");
                // The hidden one has no credential: whoever sees it refuses it.
                assert!(
                    statuses.iter().skip(1).all(|status| *status != 200),
                    "{framing:?} {chunks:?}: {answer}"
                );
                forwarded += usize::from(seen > 0);
                hidden += usize::from(statuses.len() > 1);
            }
        }
        println!("{}: {forwarded} reached Countersign, {hidden} times the second was seen", stack.name);
        assert!(stack.reached().is_empty());
        assert!(forwarded > HONEST_MIN, "honest ones pass: {forwarded}");
    })
    .await;
}

/// Sends a request of this framing, with another behind its chunks.
async fn hide(stack: &Stack, target: &str, token: &Token, framing: &str, chunks: &str) -> String {
    let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let method = if target == "/whoami" { "GET" } else { "POST" };
    let bytes = format!(
        "{method} {target} HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\n{framing}\r\n{chunks}{hidden}",
        token.basic()
    );
    client::raw_and_no_more(stack.running.address, bytes.as_bytes()).await
}

/// The same to Countersign itself: every answer is a refusal, because the hidden one and the outer one are.
#[tokio::test(flavor = "multi_thread")]
async fn countersign_itself_refuses_what_hides_and_what_hides_it() {
    let countersign = Countersign::start().await;
    for framing in framings() {
        for chunks in CHUNKS {
            let direct = direct(&countersign, &framing, chunks).await;
            assert!(
                direct.len() <= 2 && direct.iter().all(|status| *status != 200),
                "{framing:?} {chunks:?}: {direct:?}"
            );
        }
    }
}

async fn direct(countersign: &Countersign, framing: &str, chunks: &str) -> Vec<u16> {
    let hidden = format!(
        "POST /v1/verify HTTP/1.1\r\nHost: a\r\nX-Countersign-Gateway: {}x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        countersign.credential
    );
    let bytes = format!("POST /v1/verify HTTP/1.1\r\nHost: a\r\n{framing}\r\n{chunks}{hidden}");
    client::statuses(&client::raw_and_no_more(countersign.server.data_plane, bytes.as_bytes()).await)
}

/// T-23: what no honest program sends.
#[tokio::test(flavor = "multi_thread")]
async fn oversized_and_odd_requests_get_a_clear_refusal() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        let head = |target: &str, extra: &str| {
            let authorization = token.basic();
            format!(
                "GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n{extra}Connection: close\r\n\r\n"
            )
        };
        let actions = format!("/Advertisers/{}/Actions", token.sid);
        let long = "x".repeat(9_000);
        let wide = format!("X-Wide: {}\r\n", "x".repeat(6_000)).repeat(4);
        for (name, bytes, may_pass) in [
            ("long target", head(&format!("{actions}?{long}"), ""), false),
            ("long header", head(&actions, &format!("X-Long: {long}\r\n")), true),
            ("wide header", head(&actions, &wide), false),
            ("NUL in the target", head(&format!("{actions}\0"), ""), false),
            ("invalid UTF-8", head(&format!("{actions}?%ff"), ""), true),
            (
                "credential too long",
                head(&actions, "").replace("Basic ", &format!("Basic {}", "QUFB".repeat(200))),
                false,
            ),
            ("lower-case method", head(&actions, "").replacen("GET", "get", 1), false),
            ("unknown method", head(&actions, "").replacen("GET", "BREW", 1), false),
            ("TRACE", head(&actions, "").replacen("GET", "TRACE", 1), false),
            ("CONNECT", head(&actions, "").replacen("GET", "CONNECT", 1), false),
            ("user part", head(&format!("http://{}:{}@a{actions}", token.sid, token.secret), ""), true),
            ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), false),
        ] {
            // Who speaks HTTP/2 here waits for more of it.
            if name == "HTTP/2 preface" && matches!(stack.gateway.http2, Http2::Clear) {
                continue;
            }
            let answer = stack.raw(bytes.as_bytes()).await;
            // Closed without an answer is refused as well.
            let status = client::statuses(&answer).first().copied().unwrap_or(400);
            let is_refused = (400..500).contains(&status) || [501, 505].contains(&status);
            assert!(is_refused || may_pass && status == 200, "{name}: {answer}");
            assert_eq!(stack.reached().len(), usize::from(status == 200), "{name}");
        }
    })
    .await;
}
