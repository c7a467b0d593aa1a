//! The version in effect: header, query, the token's own; unknown, in conflict, past its sunset.

use countersign_model::{
    api_version::ApiVersion,
    decision::Decision,
    time::{Now, Timestamp},
};

use crate::scene::{ADS, NOW, Scene, Want, scoped};

#[test]
fn a_request_names_its_version_once() {
    for (headers, query, expected) in [
        (&[][..], "", Ok(2)),
        (&["3"], "", Ok(3)),
        (&[], "ApiVersion=3", Ok(3)),
        (&[], "apiversion=3", Ok(3)),
        (&[], "APIVERSION=%33", Ok(3)),
        (&["3"], "ApiVersion=3", Ok(3)),
        (&["3", "3"], "ApiVersion=3&apiVersion=3", Ok(3)),
        (&[" 3 "], "", Ok(3)),
        (&["2"], "ApiVersion=3", Err("api_version_conflict")),
        (&["2", "3"], "", Err("api_version_conflict")),
        (&["3", "3", "2"], "", Err("api_version_conflict")),
        (&[], "ApiVersion=2&apiversion=3", Err("api_version_conflict")),
        (&[], "ApiVersion=3&ApiVersion=", Err("api_version_conflict")),
        (&["3"], "ApiVersion=03", Err("api_version_conflict")),
        (&["4"], "", Err("api_version_unknown")),
        (&["2, 3"], "", Err("api_version_unknown")),
        (&["03"], "", Err("api_version_unknown")),
        (&["+3"], "", Err("api_version_unknown")),
        (&[""], "", Err("api_version_unknown")),
        (&["99999999999999999999"], "", Err("api_version_unknown")),
        (&["\u{663}"], "", Err("api_version_unknown")),
        (&[], "ApiVersion", Err("api_version_unknown")),
        (&["1"], "", Err("api_version_retired")),
    ] {
        let mut scene = Scene::new();
        scene.ask.version_headers = headers.iter().map(|&text| text.to_owned()).collect();
        scene.uri(&format!("{ADS}?{query}"));
        match (scene.decide(), expected) {
            (Decision::Allow(allowed), Ok(version)) => assert_eq!(allowed.api_version, ApiVersion(version)),
            (decision, expected) => {
                assert_eq!(Err(crate::scene::code(&decision)), expected, "{headers:?} {query}");
            }
        }
    }
}

#[test]
fn a_version_ends_on_its_day_by_the_time_of_day() {
    let sunset = Timestamp::parse_date("2030-01-01").unwrap();
    let mut scene = Scene::new();
    scene.token.api_version = ApiVersion(3);
    let verifier = scene.verifier();
    for (millis, expected) in [(-1, "allow"), (0, "api_version_retired")] {
        let wall = Timestamp::from_unix_millis(sunset.unix_millis() + millis);
        assert_eq!(crate::scene::code(&scene.ask.decide(&verifier, Now { wall, ..NOW })), expected);
    }
}

#[test]
fn uses_name_the_version_in_effect_and_not_the_tokens_own() {
    let mut scene = Scene::new();
    let verifier = scene.verifier();
    for (headers, want, expected) in [
        (&["3"][..], None, &[3][..]),
        (&[], None, &[2]),
        (&[], Some(Want::Scope("brand.ads.list".to_owned())), &[2]),
        (&["3"], Some(Want::Scope("brand.ads.list".to_owned())), &[3]),
        (&[], Some(Want::Identity), &[]),
    ] {
        let mut ask = scene.ask.clone();
        ask.version_headers = headers.iter().map(|&text| text.to_owned()).collect();
        ask.want = want.unwrap_or(ask.want);
        assert_eq!(ask.code(&verifier), "allow");
        let uses = verifier.take_uses(10);
        let versions: Vec<u16> = uses[0].versions.iter().map(|version| version.0).collect();
        assert_eq!((uses.len(), versions.as_slice()), (1, expected), "{headers:?} {:?}", ask.want);
    }
    scene.ask.version_headers = vec!["1".to_owned()];
    assert_eq!(scene.ask.code(&verifier), "api_version_retired");
    assert!(verifier.take_uses(10).is_empty(), "what is refused is no use");
}

#[test]
fn scopes_live_from_version_to_version() {
    let one = format!("{ADS}/7");
    for (id, method, uri) in [("brand.ads.delete", "DELETE", &one), ("brand.ads.replace", "PUT", &one)] {
        for (version, exists) in [("2", id == "brand.ads.replace"), ("3", id == "brand.ads.delete")] {
            let mut scene = Scene::new();
            scene.token.access = scoped(&["brand.ads.delete", "brand.ads.replace"]);
            scene.ask.version_headers = vec![version.to_owned()];
            scene.method(method).uri(uri);
            let expected = if exists { "allow" } else { "operation_unknown" };
            assert_eq!(scene.code(), expected, "{method} in {version}");
            scene.ask.want = Want::Scope(id.to_owned());
            assert_eq!(scene.code(), expected, "{id} in {version}");
        }
    }
}
