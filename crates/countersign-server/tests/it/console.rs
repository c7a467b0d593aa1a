//! The console as the binary serves it: whole, under a strict policy, its files kept for ever by browsers.

use crate::harness::World;

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).map(|(found, _)| found).unwrap()
}

#[tokio::test]
async fn every_address_of_the_console_is_its_page_with_a_nonce_of_its_own() {
    let world = World::empty().await;
    let mut nonces = Vec::new();
    for path in ["/", "/sign-in", "/accounts/acc_00000000000000000000000000/tokens?name=x", "/invitation"] {
        let answer = world.anonymous().get(path).await.expect(200);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        let policy = answer.header("content-security-policy").to_owned();
        let nonce = between(&policy, "'nonce-", "'").to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = answer.text();
        assert!(page.contains(&format!("content=\"{nonce}\"")) && !page.contains("{{"), "{page}");
        assert!(
            !page.contains("<script>") && !page.contains("style=") && !page.contains("http://"),
            "{page}"
        );
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 4, "a nonce is used once");
}

#[tokio::test]
async fn what_the_page_loads_is_there_and_kept_for_ever() {
    let world = World::empty().await;
    let page = world.anonymous().get("/").await.text().clone();
    let files: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(files.len() >= 2, "{page}");
    for file in files {
        let answer = world.anonymous().with("accept-encoding", "br").get(file).await.expect(200);
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("content-encoding"), "br", "{file}");
        let kind =
            if file.contains(".js") { "text/javascript; charset=utf-8" } else { "text/css; charset=utf-8" };
        assert_eq!(answer.header("content-type"), kind);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let icon = world.anonymous().get("/icon.svg").await.expect(200);
    assert_eq!(icon.header("content-type"), "image/svg+xml");
}

#[tokio::test]
async fn what_is_not_there_is_not_the_page() {
    let world = World::empty().await;
    for path in ["/assets/none.js", "/assets/..%2findex.html", "/api/v1/nothing", "/api/"] {
        world.anonymous().get(path).await.expect_problem(404, "not_found");
    }
    world.browser().post("/sign-in", serde_json::json!({})).await.expect(404);
}
