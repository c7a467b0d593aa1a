//! Applying changes: order, repetition, gaps, and that each takes effect at once and whole.

use std::sync::Arc;

use countersign_model::{
    change::{Change, Record, Seq},
    digest::{Former, LookupKeys},
    id::TokenId,
    time::Now,
};
use countersign_verify::{Gap, Use, Verifier};

use crate::scene::{
    NOW, Scene, apply, code, key, later, minted, peppered, scoped, secret_record, settings, sid,
};

fn disabled(scene: &Scene, seq: u64, is_disabled: bool) -> Change {
    let mut token = scene.token.clone();
    token.enabled = !is_disabled;
    Change { seq: Seq(seq), record: Record::Token(Arc::new(token)) }
}

#[test]
fn changes_come_in_order_once_and_without_gaps() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    assert_eq!(verifier.applied(), Seq(1));
    assert_eq!(verifier.apply(&disabled(&scene, 3, true)), Err(Gap { expected: Seq(2), got: Seq(3) }));
    assert_eq!((verifier.applied(), scene.ask.code(&verifier)), (Seq(1), "allow"));
    assert_eq!(verifier.apply(&disabled(&scene, 2, true)), Ok(()));
    assert_eq!((verifier.applied(), scene.ask.code(&verifier)), (Seq(2), "token_disabled"));
    // An old change that comes again, even with another content, changes nothing.
    assert_eq!(verifier.apply(&disabled(&scene, 2, false)), Ok(()));
    assert_eq!(verifier.apply(&disabled(&scene, 0, false)), Ok(()));
    assert_eq!((verifier.applied(), scene.ask.code(&verifier)), (Seq(2), "token_disabled"));
    assert_eq!(verifier.apply(&disabled(&scene, 3, false)), Ok(()));
    assert_eq!(scene.ask.code(&verifier), "allow");
    let gap = Gap { expected: Seq(4), got: Seq(9) };
    assert_eq!(gap.to_string(), "change 9 came where 4 was next; read the feed again from there");
}

#[test]
fn a_feed_from_the_first_change_needs_no_records_to_begin_with() {
    let scene = Scene::new();
    let verifier = Verifier::new(LookupKeys::of(key(1)), settings());
    verifier.freshness().always();
    verifier.load(Seq(0), []);
    assert!(verifier.catalog().is_none());
    // With a catalog it can say that a token is unknown; with a token whose account it lacks, it can say nothing.
    let [catalog, account, token] = scene.records().try_into().unwrap_or_else(|_| panic!("three records"));
    assert_eq!(scene.ask.code(&verifier), "loading");
    apply(&verifier, catalog);
    assert_eq!(scene.ask.code(&verifier), "credentials_invalid");
    apply(&verifier, token);
    assert_eq!(scene.ask.code(&verifier), "loading");
    apply(&verifier, account);
    assert_eq!(scene.ask.code(&verifier), "allow");
    assert!(Arc::ptr_eq(&verifier.catalog().unwrap(), &scene.catalog));
}

#[test]
fn a_reset_takes_effect_at_once_and_an_overlap_ends_on_time() {
    let mut scene = Scene::new();
    let verifier = scene.verifier();
    let (old, mut new) = (scene.ask.clone(), scene.ask.clone());
    new.authorization = Some(crate::scene::bearer(&minted(2)));
    assert_eq!(new.code(&verifier), "credentials_invalid");
    let ends_at = NOW.wall.plus_secs(3_600);
    scene.token.secrets =
        vec![secret_record(&minted(2), 2, None), secret_record(&minted(1), 1, Some(ends_at))];
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!((old.code(&verifier), new.code(&verifier)), ("allow", "allow"));
    let end = later(3_600);
    let before =
        Now { wall: countersign_model::time::Timestamp::from_unix_millis(end.wall.unix_millis() - 1), ..end };
    assert_eq!(
        (code(&old.decide(&verifier, before)), code(&new.decide(&verifier, before))),
        ("allow", "allow")
    );
    assert_eq!(
        (code(&old.decide(&verifier, end)), code(&new.decide(&verifier, end))),
        ("credentials_invalid", "allow")
    );
    scene.token.secrets.truncate(1);
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!(
        (code(&old.decide(&verifier, end)), code(&new.decide(&verifier, end))),
        ("credentials_invalid", "allow")
    );
}

#[test]
fn a_new_pepper_changes_the_digest_and_nothing_else() {
    let mut scene = Scene::new();
    let verifier = Verifier::new(LookupKeys::of(key(2)).after(key(1), Former::Alone), settings());
    verifier.load(Seq(1), scene.records());
    verifier.freshness().always();
    assert_eq!(scene.ask.code(&verifier), "allow");
    scene.token.secrets = vec![peppered(&minted(1), 2, 1, None)];
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    assert_eq!(scene.ask.code(&verifier), "allow");
}

#[test]
fn an_account_denies_all_its_tokens_at_once() {
    let mut scene = Scene::new();
    let verifier = scene.verifier();
    for (change, expected) in
        [((false, true), "account_suspended"), ((true, false), "api_access_off"), ((true, true), "allow")]
    {
        (scene.account.active, scene.account.api_access) = change;
        apply(&verifier, Record::Account(Arc::new(scene.account.clone())));
        assert_eq!(scene.ask.code(&verifier), expected);
    }
}

#[test]
fn a_load_replaces_everything() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    let mut other = Scene::new();
    other.token.id = TokenId::from_u128(2);
    other.token.sid = sid("BR2");
    other.token.secrets = vec![secret_record(&minted(2), 1, None)];
    other.ask.authorization = Some(crate::scene::bearer(&minted(2)));
    other.uri("/Advertisers/BR2/Ads");
    verifier.load(Seq(40), other.records());
    assert_eq!(verifier.applied(), Seq(40));
    assert_eq!((scene.ask.code(&verifier), other.ask.code(&verifier)), ("credentials_invalid", "allow"));
    // What was unknown to the load is unknown to later changes too.
    apply(&verifier, Record::TokenGone(scene.token.sid));
    apply(&verifier, Record::TokenGone(other.token.sid));
    assert_eq!(other.ask.code(&verifier), "credentials_invalid");
}

#[test]
fn a_secret_that_moved_to_another_token_stays_with_it() {
    let scene = Scene::new();
    let verifier = scene.verifier();
    let mut heir = scene.clone();
    heir.token.id = TokenId::from_u128(2);
    heir.token.sid = sid("BR2");
    heir.token.access = scoped(&["brand.ads.list", "brand.ads.get"]);
    heir.ask.authorization = Some(crate::scene::bearer(&minted(1)));
    heir.uri("/Advertisers/BR2/Ads");
    apply(&verifier, Record::Token(Arc::new(heir.token.clone())));
    apply(&verifier, Record::TokenGone(scene.token.sid));
    assert_eq!((heir.ask.code(&verifier), scene.ask.code(&verifier)), ("allow", "credentials_invalid"));
    apply(&verifier, Record::TokenGone(heir.token.sid));
    assert_eq!(heir.ask.code(&verifier), "credentials_invalid");
}

#[test]
fn uses_are_noted_by_secret_with_moment_and_address() {
    let mut scene = Scene::new();
    let verifier = scene.verifier();
    for secs in [0, 10, 59] {
        assert_eq!(code(&scene.ask.decide(&verifier, later(secs))), "allow");
    }
    let mut denied = scene.ask.clone();
    denied.want = crate::scene::Want::Scope("brand.ads.get".to_owned());
    assert_eq!(denied.code(&verifier), "scope_missing");
    let ends_at = NOW.wall.plus_secs(3_600);
    scene.token.secrets =
        vec![secret_record(&minted(2), 2, None), secret_record(&minted(1), 1, Some(ends_at))];
    apply(&verifier, Record::Token(Arc::new(scene.token.clone())));
    scene.ask.client_address = None;
    assert_eq!(code(&scene.ask.decide(&verifier, later(60))), "allow");
    scene.ask.authorization = Some(crate::scene::bearer(&minted(2)));
    assert_eq!(code(&scene.ask.decide(&verifier, later(61))), "allow");
    let mut uses = verifier.take_uses(10);
    uses.sort_by_key(|one| one.generation);
    let told = |one: &Use| {
        let versions: Vec<u16> = one.versions.iter().map(|version| version.0).collect();
        (one.sid, one.generation, one.at, one.from, one.uses, versions)
    };
    let expected =
        |generation, secs, uses| (scene.token.sid, generation, later(secs).wall, None, uses, vec![2]);
    assert_eq!(uses.iter().map(told).collect::<Vec<_>>(), [expected(1, 60, 4), expected(2, 61, 1)]);
    assert!(verifier.take_uses(10).is_empty());
}
