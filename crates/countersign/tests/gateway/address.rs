//! T-38: the address a token is used from is the one the gateway sees, whatever a client says of itself. The
//! table of lists and hops stands beside the code that reads them.

use serde_json::json;

use crate::stack::beside_each_other;

/// T-38, through every gateway.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_choose_its_address() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let claims = [
            "X-Forwarded-For",
            "X-Original-Address",
            "x-original-address",
            "X_Original_Address",
            "X-Real-IP",
            "Forwarded",
            "X-Client-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "X-Forwarded",
            "Client-IP",
            "X-Cluster-Client-IP",
            "Via",
        ];
        for (list, here, status) in [
            (json!(["203.0.113.0/24"]), "203.0.113.5", 403),
            (json!(["2001:db8::/32"]), "2001:db8::5", 403),
            (json!(["127.0.0.1"]), "203.0.113.5", 200),
            (json!(["::ffff:127.0.0.0/104"]), "203.0.113.5", 200),
            (json!([]), "203.0.113.5", 200),
        ] {
            let fields =
                json!({ "name": list.to_string(), "scopes": ["brand.actions.list"], "addresses": list });
            let token = stack.countersign.token_with(&brand, fields).await;
            let line = format!("GET /Advertisers/{}/Actions", token.sid);
            let authorization = ("authorization", token.basic());
            let authorization = (authorization.0, authorization.1.as_str());
            assert_eq!(stack.send(&line, &[authorization]).await.status, status, "{list}");
            for claim in claims {
                // Some gateways leave a name with an underscore out, others refuse whoever sends one.
                let expected = |got: u16| got == status || (claim.contains('_') && got == 400);
                for value in [
                    here.to_owned(),
                    format!("{here}, 10.0.0.1"),
                    format!("for={here}"),
                    format!("[{here}]:1"),
                    format!("127.0.0.1, {here}"),
                ] {
                    let reply = stack.send(&line, &[authorization, (claim, &value)]).await;
                    assert!(expected(reply.status), "{list} {claim}: {value}: {} for {status}", reply.status);
                }
                let twice = stack.send(&line, &[authorization, (claim, here), (claim, here)]).await;
                assert!(expected(twice.status), "{list} {claim} twice: {} for {status}", twice.status);
            }
            for reached in stack.reached() {
                // One address, of the gateway's own knowledge: Envoy calls a loopback client by an address of the machine.
                let told = reached.header("x-forwarded-for");
                assert!(told.parse::<std::net::IpAddr>().is_ok() && told != here, "{told}");
            }
        }
    })
    .await;
}
