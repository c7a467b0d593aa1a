//! T-26, hash flooding: keys that collide under hashes without a random key take no longer than others.

use std::sync::Arc;

use countersign_model::{
    change::{AccountRecord, Record, SecretRecord, Seq},
    digest::{Digest, LookupKeys},
    grant::Access,
    id::{AccountId, TokenId},
    scope::ScopeSet,
};
use countersign_verify::{FailureLimit, Settings, Verifier};

use crate::{
    measure::nanos,
    scene::{NOW, Random, account, catalog, settings, token, verifier},
};

const KEYS: u128 = 100_000;
/// A table that degrades takes some ten thousand times as long at this size; noise takes less than this.
const SLOWER_AT_MOST: u64 = 8;

type MakeKey = fn(u128) -> u128;

/// A record of each kind that is kept by an id or a digest.
fn records(number: u128) -> [Record; 2] {
    let owner = AccountRecord { id: AccountId::from_u128(number), ..account(1, "brand") };
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&number.to_be_bytes());
    let secret = SecretRecord { digest: Digest::from_bytes(bytes), pepper: 1, generation: 1, ends_at: None };
    let mut record =
        token(1, &owner, &format!("BR{number:039}"), Access::Scoped(ScopeSet::new()), vec![secret]);
    record.id = TokenId::from_u128(number);
    [Record::Account(Arc::new(owner)), Record::Token(Arc::new(record))]
}

fn load_nanos(numbers: impl Iterator<Item = u128>) -> u64 {
    let records: Vec<Record> = numbers.flat_map(records).collect();
    let verifier = verifier([Record::Catalog(catalog(&[]))]);
    nanos(|| verifier.load(Seq(1), records)).0
}

#[test]
fn colliding_keys_load_as_fast_as_random_ones() {
    let mut random = Random(26);
    let mut number = || u128::from(random.next()) << 64 | u128::from(random.next());
    let usual = load_nanos((0..KEYS).map(|_| number()));
    let sets: [(&str, MakeKey); 4] = [
        ("equal in the low 64 bits", |number| number << 64),
        ("equal in the high 64 bits", |number| number),
        ("both halves cancel out under xor", |number| number << 64 | number),
        ("multiples of a large power of two", |number| number << 40),
    ];
    for (name, make) in sets {
        let took = load_nanos((0..KEYS).map(make));
        println!("T-26: {KEYS} keys {name}: {} ms, random ones {} ms", took / 1_000_000, usual / 1_000_000);
        assert!(took < usual * SLOWER_AT_MOST, "keys {name}: {took} ns against {usual} ns");
    }
}

#[test]
fn colliding_addresses_are_counted_as_fast_as_random_ones() {
    let failures = FailureLimit { per_window: u32::MAX, window_secs: 1 };
    let count = |make: fn(u32) -> u32| {
        let verifier = Verifier::new(LookupKeys::default(), Settings { failures, ..settings() });
        nanos(|| {
            for number in 0..100_000 {
                verifier.note_failure(make(number).to_be_bytes().into(), NOW);
            }
        })
        .0
    };
    let usual = count(|number| number.wrapping_mul(0x9E37_79B9));
    for make in [|number| number, |number: u32| number << 12, |number: u32| number << 16] {
        let took = count(make);
        assert!(took < usual * SLOWER_AT_MOST, "{took} ns against {usual} ns");
    }
}
