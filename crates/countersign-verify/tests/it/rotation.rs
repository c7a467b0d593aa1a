//! While the pepper is rotated: no right credential is refused, no wrong one let in, and a digest that an ask has proved
//! is offered to be made anew.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use countersign_model::{
    change::{Record, SecretRecord, Seq, TokenRecord},
    digest::{Digest, Former, LookupKey, LookupKeys},
    secret::Shape,
    sid::Sid,
};
use countersign_verify::Verifier;

use crate::{
    measure::Deadline,
    scene::{
        NOW, OwnedAsk, Random, Want, account, apply, bearer, catalog, code, minted, scoped, settings, token,
    },
};

const TOKENS: u64 = 40;
const READERS: usize = 3;
const ROUNDS_MIN: u16 = 20;
const FULL_ROUNDS: u16 = 20_000;

/// Says that all is over, also when a thread failed, so that nobody waits for it.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn pepper(generation: u16) -> LookupKey {
    let mut key = [7; 32];
    key[..2].copy_from_slice(&generation.to_be_bytes());
    LookupKey::new(generation, key)
}

fn direct(number: u64, generation: u16) -> Digest {
    pepper(generation).digest(minted(number).as_bytes(), Shape::Minted).unwrap()
}

fn record(number: u64, digest: Digest, generation: u16) -> TokenRecord {
    let secret = SecretRecord { digest, pepper: generation, generation: 1, ends_at: None };
    token(number.into(), &account(1, "brand"), sid(number).as_str(), scoped(&[]), vec![secret])
}

fn sid(number: u64) -> Sid {
    format!("BR{number:026}").parse().unwrap()
}

fn put(verifier: &Verifier, number: u64, digest: Digest, generation: u16) {
    apply(verifier, Record::Token(Arc::new(record(number, digest, generation))));
}

fn begin() -> Verifier {
    let verifier = Verifier::new(LookupKeys::of(pepper(1)), settings());
    let tokens = (0..TOKENS).map(|number| Record::Token(Arc::new(record(number, direct(number, 1), 1))));
    let known = [Record::Catalog(catalog(&[])), Record::Account(Arc::new(account(1, "brand")))];
    verifier.load(Seq(1), known.into_iter().chain(tokens));
    verifier.freshness().always();
    verifier
}

fn identity(secret: &str) -> OwnedAsk {
    OwnedAsk::new(bearer(secret), Want::Identity)
}

/// One rotation, as the server does it: the key first, then every digest, half of them by layers, then the digests
/// that asks have proved, then the old key goes.
fn rotate(verifier: &Verifier, to: u16) {
    verifier.use_keys(LookupKeys::of(pepper(to)).after(pepper(to - 1), Former::Alone));
    for number in 0..TOKENS {
        let digest = match number % 2 {
            0 => direct(number, to),
            _ => pepper(to).layer(&direct(number, to - 1)),
        };
        put(verifier, number, digest, to);
    }
    verifier.use_keys(LookupKeys::of(pepper(to)).after(pepper(to - 1), Former::Layered));
    // The renewals of asks; what nobody asked for is asked for here.
    let mut layered: HashMap<Sid, u64> =
        (0..TOKENS).filter(|number| number % 2 == 1).map(|number| (sid(number), number)).collect();
    while !layered.is_empty() {
        for number in layered.values() {
            assert_eq!(code(&identity(&minted(*number)).decide(verifier, NOW)), "allow");
        }
        for renewal in verifier.take_renewals(7) {
            let Some(&number) = layered.get(&renewal.sid) else { continue };
            // One that was offered before the layer came, or in the rotation before, is for a digest that is no more:
            // whoever writes finds another one there and leaves it.
            if renewal.former != pepper(to).layer(&direct(number, to - 1)) {
                continue;
            }
            assert_eq!(renewal.pepper, to);
            layered.remove(&renewal.sid);
            assert_eq!(renewal.present, direct(number, to));
            put(verifier, number, renewal.present, to);
        }
    }
    verifier.use_keys(LookupKeys::of(pepper(to)));
}

#[test]
fn no_ask_fails_while_peppers_are_rotated() {
    let (verifier, over) = (begin(), AtomicBool::new(false));
    let (asks, rounds) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let end = Over(&over);
        for reader in 0..READERS as u64 {
            let (verifier, over, asks) = (&verifier, &over, &asks);
            scope.spawn(move || {
                let _end = Over(over);
                let mut random = Random(reader);
                let known: Vec<OwnedAsk> = (0..TOKENS).map(|number| identity(&minted(number))).collect();
                let strange: Vec<OwnedAsk> =
                    (0..TOKENS).map(|number| identity(&minted(1_000 + number))).collect();
                while !over.load(Ordering::SeqCst) {
                    let number = random.below(known.len());
                    assert_eq!(code(&known[number].decide(verifier, NOW)), "allow", "token {number}");
                    assert_ne!(code(&strange[number].decide(verifier, NOW)), "allow");
                    asks.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
        let (deadline, mut generation) = (Deadline::start(), 2);
        while !over.load(Ordering::SeqCst)
            && generation < FULL_ROUNDS
            && (generation < ROUNDS_MIN || !deadline.is_over())
        {
            rotate(&verifier, generation);
            generation += 1;
            rounds.fetch_add(1, Ordering::Relaxed);
        }
        drop(end);
    });
    println!("{} rotations under {} asks, 0 failed", rounds.into_inner(), asks.into_inner());
}

#[test]
fn a_proved_digest_is_offered_once_for_a_pepper() {
    let verifier = begin();
    let ask = identity(&minted(3));
    assert_eq!(code(&ask.decide(&verifier, NOW)), "allow");
    assert!(verifier.take_renewals(9).is_empty(), "it is as it should be");
    for generation in [2, 3] {
        verifier.use_keys(LookupKeys::of(pepper(generation)).after(pepper(1), Former::Alone));
        for _ in 0..3 {
            assert_eq!(code(&ask.decide(&verifier, NOW)), "allow");
        }
        let offered = verifier.take_renewals(9);
        assert_eq!(offered.len(), 1, "generation {generation}");
        assert_eq!(offered[0].present, direct(3, generation));
    }
    assert_ne!(code(&identity(&minted(9_000)).decide(&verifier, NOW)), "allow");
    assert!(verifier.take_renewals(9).is_empty(), "who proves nothing offers nothing");
}

#[test]
fn a_layered_digest_needs_both_keys() {
    let verifier = begin();
    put(&verifier, 1, pepper(2).layer(&direct(1, 1)), 2);
    let ask = identity(&minted(1));
    for (keys, allowed) in [
        (LookupKeys::of(pepper(1)), false),
        (LookupKeys::of(pepper(2)), false),
        (LookupKeys::of(pepper(2)).after(pepper(3), Former::Alone), false),
        (LookupKeys::of(pepper(3)).after(pepper(1), Former::Alone), false),
        (LookupKeys::of(pepper(2)).after(pepper(1), Former::Layered), true),
        (LookupKeys::of(pepper(2)).after(pepper(1), Former::Alone), true),
    ] {
        verifier.use_keys(keys);
        assert_eq!(code(&ask.decide(&verifier, NOW)) == "allow", allowed);
    }
    // A digest made with the former key alone is worth nothing once that key only serves layers.
    verifier.use_keys(LookupKeys::of(pepper(2)).after(pepper(1), Former::Layered));
    assert_ne!(code(&identity(&minted(2)).decide(&verifier, NOW)), "allow");
}
