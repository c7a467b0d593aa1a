//! Header fields behind a body: what a client says there about who it is. Most gateways drop them; those that pass them on
//! say so on their page.

use std::sync::Arc;

use crate::{
    client,
    countersign::Countersign,
    gateways::{self, Class, Edit, Fault, Habit},
    pages,
    stack::{Stack, beside_each_other},
    table::identity::{IDENTITY, LIE},
};

#[tokio::test(flavor = "multi_thread")]
async fn identity_behind_a_body_reaches_no_back_end_unless_the_page_says_so() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Writer", &["brand.deals.create"]).await;
        let deals = format!("/Advertisers/{}/Deals", token.sid);
        let (mut passed, mut arrived) = (0, Vec::new());
        for name in IDENTITY.into_iter().chain(["Authorization"]) {
            for announced in [
                String::new(),
                format!("Trailer: {name}\r\n"),
                format!("TE: trailers\r\nTrailer: {name}\r\n"),
            ] {
                let (is_allowed, bytes) = send(stack, &deals, &token.basic(), &announced, name).await;
                passed += usize::from(is_allowed);
                if bytes.contains(LIE) {
                    arrived.push(format!("{announced:?} {name}"));
                }
            }
        }
        println!("{}: {passed} passed, {} lies arrived", stack.name, arrived.len());
        assert!(passed > 0, "a body in chunks passes");
        assert_eq!(!arrived.is_empty(), stack.gateway.has(Habit::PassesTrailers), "{arrived:?}");
    })
    .await;
}

/// What the page of HAProxy offers to who needs it: bodies of unknown length are refused, others pass.
const REFUSES_CHUNKS: Fault = Fault {
    name: "bodies of unknown length are refused",
    edits: &[Edit {
        file: "haproxy.cfg",
        find: "    http-request lua.countersign unless whoami\n",
        replace: "    http-request return status 411 if { req.hdr(transfer-encoding) -m found }\n    http-request lua.countersign unless whoami\n",
    }],
    found: Class::Untrue,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_line_on_the_page_of_haproxy_keeps_trailers_out() {
    let gateway = gateways::ALL.into_iter().find(|gateway| gateway.has(Habit::PassesTrailers)).unwrap();
    let line = REFUSES_CHUNKS.edits[0].replace.lines().next().unwrap();
    assert!(pages::page("gateways-haproxy.md").contains(line), "the page has this line");
    let countersign = Arc::new(Countersign::start().await);
    let stack =
        Stack::start_with(&countersign, gateway, gateway.name.to_owned(), Some(&REFUSES_CHUNKS)).await;
    let brand = stack.account("brand").await;
    let token = countersign.token(&brand, "Writer", &["brand.deals.create"]).await;
    let deals = format!("/Advertisers/{}/Deals", token.sid);
    let (is_allowed, taken) = send(&stack, &deals, &token.basic(), "", "X-Countersign-Sid").await;
    assert!(!is_allowed && !taken.contains(LIE), "{taken}");
    let basic = token.basic();
    let whole = client::with_body(&format!("POST {deals}"), &[("authorization", &basic)], "a=b".into());
    assert_eq!(stack.pass(whole).await.status, 200);
}

/// Whether it passed, and what the back end got.
async fn send(
    stack: &Stack,
    target: &str,
    authorization: &str,
    announced: &str,
    name: &str,
) -> (bool, String) {
    stack.taken.take_passed();
    let bytes = format!(
        "POST {target} HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n{announced}\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\na=b\r\n0\r\n{name}: {LIE}\r\n\r\n"
    );
    let statuses = client::statuses(&stack.raw(bytes.as_bytes()).await);
    let taken = String::from_utf8_lossy(&stack.taken.take_passed()).into_owned();
    (!stack.reached().is_empty() && statuses == [200], taken)
}
