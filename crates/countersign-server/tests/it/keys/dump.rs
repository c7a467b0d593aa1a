//! T-7, a stolen dump: neither the database, nor its log, nor a backup holds a secret in any encoding, nor a hash of one
//! that could be made without a key.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::json;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::stage::{Stage, bytes_in, hexadecimal, holds};
use crate::harness::PASSWORD;

/// What a secret looks like wherever somebody might have written it.
fn encodings(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let hex = hexadecimal(bytes);
    let mut found = vec![
        ("raw", bytes.to_vec()),
        ("upper-case hexadecimal", hex.to_uppercase().into_bytes()),
        ("hexadecimal", hex.into_bytes()),
        ("reversed", bytes.iter().rev().copied().collect()),
        ("UTF-16, little end first", secret.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16, big end first", secret.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("percent-encoded", bytes.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect()),
        ("escaped", secret.replace('_', "%5F").into_bytes()),
    ];
    found.retain(|(name, form)| *name != "escaped" || form != bytes);
    // Base64 of a text in which it stands at each of the three offsets; the ends depend on what stands around it.
    for offset in 0..3 {
        let padded = [vec![b' '; offset], bytes.to_vec(), vec![b' '; 2]].concat();
        for (name, text) in
            [("base64", STANDARD_NO_PAD.encode(&padded)), ("base64url", URL_SAFE_NO_PAD.encode(&padded))]
        {
            found.push((name, text.as_bytes()[4..text.len() - 4].to_vec()));
        }
    }
    found
}

/// What anybody can compute of a guess.
fn unkeyed_hashes(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let mut all = vec![
        ("SHA-256", Sha256::digest(bytes).to_vec()),
        ("SHA-384", Sha384::digest(bytes).to_vec()),
        ("SHA-512", Sha512::digest(bytes).to_vec()),
        ("SHA-256 twice", Sha256::digest(Sha256::digest(bytes)).to_vec()),
        ("BLAKE3", blake3::hash(bytes).as_bytes().to_vec()),
        ("BLAKE3 of its SHA-256", blake3::hash(&Sha256::digest(bytes)).as_bytes().to_vec()),
        ("CRC-32", Vec::new()),
    ];
    for context in ["tok/1", "imported/1"] {
        all.push((
            "BLAKE3 in a context",
            blake3::hash(&[context.as_bytes(), bytes].concat()).as_bytes().to_vec(),
        ));
    }
    all.retain(|(_, hash)| !hash.is_empty());
    let hex = |hash: &[u8]| hexadecimal(hash).into_bytes();
    let written: Vec<_> = all
        .iter()
        .flat_map(|(name, hash)| [(*name, hex(hash)), (*name, STANDARD_NO_PAD.encode(hash).into_bytes())])
        .collect();
    all.extend(written);
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_holds_no_secret_and_no_way_to_test_a_guess() {
    let stage = Stage::new().await;
    let (app, world) = (&stage.world.app, &stage.world);
    let mut canaries: Vec<String> = stage.known.iter().map(|known| known.secret.clone()).collect();
    canaries.extend([stage.gateway.clone(), PASSWORD.to_owned()]);
    let platform = world.operator.post("/api/v1/platform-credentials", json!({ "name": "second" })).await;
    canaries.push(platform.expect(201).json()["credential"].as_str().unwrap().to_owned());
    let hook = world.operator.post("/api/v1/webhooks", json!({ "url": "https://hooks.example.com/" })).await;
    let hook = hook.expect(201).json();
    let signing = hook["signing_secret"].as_str().unwrap().trim_start_matches("whsec_").to_owned();
    let signing_bytes = STANDARD.decode(&signing).unwrap();
    canaries.push(signing);
    let path = format!("/api/v1/accounts/{}", stage.account);
    let invite = json!({ "email": "later@example.com", "role": "analyst" });
    let invited = stage.ada.post(&format!("{path}/invitations"), invite).await.expect(201);
    canaries.push(crate::harness::code_of(&invited.json()));
    for name in ["__Host-countersign", "__Host-countersign-device"] {
        let answer = world.sign_in("ada@example.com", PASSWORD).await.expect(201);
        canaries.push(answer.cookie(name).unwrap());
    }
    // Every way a secret takes: shown, refused, reset with an overlap, remembered for a key, rotated.
    let token = stage.known[0].token.unwrap();
    stage.ada.post(&format!("{path}/tokens/{token}/reveal"), json!({})).await.expect(200);
    let reset = json!({ "confirm": true, "overlap": "1h" });
    let reset = stage.ada.request("POST", &format!("{path}/tokens/{token}/reset")).json(&reset);
    let reset = reset.header("idempotency-key", "again").send().await.expect(200).json();
    canaries.push(reset["secret"].as_str().unwrap().to_owned());
    let backup = world.cli().request("POST", "/api/v1/backup").send().await.expect(200);
    stage.begin("data_keys").await;
    super::stage::finish(app).await;
    let dump = [bytes_in(&world.directory().join("data")), backup.bytes].concat();
    assert!(dump.len() > 100_000, "this test looks where it is");
    assert!(!holds(&dump, &signing_bytes), "the secret of a webhook is in the dump");
    let mut looked = 0;
    for canary in &canaries {
        for (name, form) in encodings(canary).into_iter().chain(unkeyed_hashes(canary)) {
            assert!(!holds(&dump, &form), "a secret is in the dump as {name}");
            looked += 1;
        }
    }
    println!("{} secrets in {looked} forms: none in {} bytes", canaries.len(), dump.len());
    // The same search finds what is there to be found.
    let sid = stage.keys().await["rotation"]["started_by"].as_str().unwrap().to_owned();
    assert!(holds(&dump, sid.as_bytes()));
}
