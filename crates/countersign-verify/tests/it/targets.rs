//! What a request leads to: HEAD, the effective method, literal segments, legacy credentials, scopes named directly,
//! and being known without wanting anything.

use countersign_model::{
    change::{Record, TokenRecord},
    decision::{Decision, Denial},
    grant::Access,
};

use crate::scene::{ADS, NOW, Scene, Want, apply, catalog, rate, scope, scoped};

/// The answer to a request of a token with this access; legacy tokens are on.
#[track_caller]
fn check(access: &Access, method: &str, uri: &str, expected: &str) {
    let mut scene = Scene::new();
    scene.account.legacy_tokens = true;
    scene.token.access = access.clone();
    scene.method(method).uri(uri);
    assert_eq!(scene.code(), expected, "{method} {uri}");
}

#[track_caller]
fn check_scope(access: &Access, id: &str, expected: &str) {
    let mut scene = Scene::new();
    scene.account.legacy_tokens = true;
    scene.token.access = access.clone();
    scene.ask.want = Want::Scope(id.to_owned());
    assert_eq!(scene.code(), expected, "{id}");
}

#[test]
fn head_uses_the_scope_of_get() {
    let list = scoped(&["brand.ads.list"]);
    check(&list, "HEAD", ADS, "allow");
    check(&scoped(&["brand.ads.create"]), "HEAD", ADS, "scope_missing");
    check(&Access::ReadOnly, "HEAD", ADS, "allow");
}

#[test]
fn the_effective_method_decides() {
    let one = format!("{ADS}/7");
    check(&scoped(&["brand.ads.replace"]), "POST", &format!("{one}?_method=PUT"), "allow");
    check(&scoped(&["brand.ads.create"]), "POST", &format!("{ADS}?_method=DELETE"), "operation_unknown");
    check(&Access::ReadOnly, "POST", &format!("{one}?_method=PUT"), "write_not_allowed");
    check(&Access::ReadWrite, "POST", &format!("{one}?_method=PUT"), "allow");
    check(&Access::ReadWrite, "POST", &one, "operation_unknown");
}

#[test]
fn paths_lead_where_they_say() {
    let (one, search) = (scoped(&["brand.ads.get"]), scoped(&["brand.ads.search"]));
    check(&one, "GET", &format!("{ADS}/7"), "allow");
    check(&search, "GET", &format!("{ADS}/Search"), "allow");
    check(&one, "GET", &format!("{ADS}/Search"), "scope_missing");
    check(&one, "GET", &format!("{ADS}/search"), "allow");
    check(&one, "GET", &format!("{ADS}/7/"), "operation_unknown");
    check(&one, "GET", &format!("{}/7", ADS.replace("Advertisers", "aDVERTISERS")), "allow");
    check(&one, "GET", &format!("{}/7", ADS.replace("Ads", "ads")), "operation_unknown");
    check(&scoped(&["brand.status.get"]), "GET", "/AdvertiserStatus", "allow");
}

#[test]
fn legacy_credentials_reach_every_operation_of_their_kind_and_no_management() {
    for (method, uri) in
        [("GET", ADS.to_owned()), ("GET", format!("{ADS}/Search")), ("GET", "/AdvertiserStatus".to_owned())]
    {
        check(&Access::ReadWrite, method, &uri, "allow");
        check(&Access::ReadOnly, method, &uri, "allow");
    }
    check(&Access::ReadWrite, "POST", ADS, "allow");
    check(&Access::ReadOnly, "POST", ADS, "write_not_allowed");
    check(&Access::ReadOnly, "POST", &format!("{ADS}/7"), "operation_unknown");
    check(&Access::ReadWrite, "GET", &ADS.replace("Advertisers", "Mediapartners"), "account_mismatch");
    check_scope(&Access::ReadWrite, "brand.ads.create", "allow");
    check_scope(&Access::ReadOnly, "brand.ads.list", "allow");
    check_scope(&Access::ReadOnly, "brand.ads.create", "write_not_allowed");
    check_scope(&Access::ReadOnly, "brand.ads.search", "write_not_allowed");
    for access in [Access::ReadWrite, Access::ReadOnly] {
        check_scope(&access, "brand.tokens.view", "scope_missing");
        check_scope(&access, "brand.tokens.disable", "scope_missing");
    }
    check_scope(&scoped(&["brand.tokens.view"]), "brand.tokens.view", "allow");
    check_scope(&scoped(&["brand.tokens.view"]), "brand.tokens.disable", "scope_missing");
}

#[test]
fn a_missing_scope_is_named() {
    let mut scene = Scene::new();
    scene.token.access = scoped(&[]);
    let Decision::Deny(denied) = scene.decide() else { panic!() };
    assert_eq!(denied.denial, Denial::ScopeMissing(scope("brand.ads.list")));
}

#[test]
fn a_retired_scope_grants_nothing() {
    let mut scene = Scene::new();
    let verifier = scene.verifier();
    let gone = r#"id = "brand.ads.list""#;
    let other = r#"id = "brand.ads.list2""#;
    apply(&verifier, Record::Catalog(catalog(&[(gone, other)])));
    // The path is there under a new scope, which was granted to nobody.
    let Decision::Deny(denied) = scene.ask.decide(&verifier, NOW) else { panic!() };
    assert!(matches!(denied.denial, Denial::ScopeMissing(new) if new != scope("brand.ads.list")));
    scene.ask.want = Want::Scope("brand.ads.list".to_owned());
    assert_eq!(scene.ask.code(&verifier), "operation_unknown");
}

type Kill = fn(&mut TokenRecord);

#[test]
fn to_be_known_takes_a_live_token_and_nothing_else() {
    let mut scene = Scene::new();
    scene.ask.want = Want::Identity;
    scene.token.access = scoped(&[]);
    scene.token.rate_limit = rate(1, 60);
    scene.token.api_version.0 = 1;
    scene.ask.version_headers = vec!["2".to_owned(), "3".to_owned()];
    let verifier = scene.verifier();
    for _ in 0..3 {
        let Decision::Allow(allowed) = scene.ask.decide(&verifier, NOW) else { panic!() };
        assert_eq!((allowed.scope, allowed.rate), (None, None));
        assert_eq!(allowed.api_version, scene.token.api_version);
    }
    let dead: [(&str, Kill); 3] = [
        ("token_disabled", |token| token.enabled = false),
        ("token_expired", |token| token.expires_at = Some(NOW.wall)),
        ("credentials_invalid", |token| token.secrets.clear()),
    ];
    for (expected, change) in dead {
        let mut scene = scene.clone();
        change(&mut scene.token);
        assert_eq!(scene.code(), expected);
    }
}
