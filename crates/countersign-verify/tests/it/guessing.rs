//! T-1: guessed secrets never hit. Random ones with a right checksum, neighbours of known ones with and without it, and
//! made-up ones in the form of imports.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use countersign_model::{
    change::Record,
    credential::Authorization,
    decision::{Ask, Decision, Denial, Target},
    secret::SecretFormat,
};
use countersign_verify::Verifier;

use crate::{
    measure::Deadline,
    scene::{
        NOW, OwnedAsk, Random, account, bearer, catalog, code, minted, scoped, secret_record, token, verifier,
    },
};

const TOKENS: usize = 1_000;
const FULL_COUNT: u64 = 1_000_000_000;
const THREADS: u64 = 2;

fn known() -> Vec<String> {
    let minted = (0..TOKENS as u64).map(minted);
    let imported = (0..TOKENS as u64).map(|number| format!("imported-{:016x}", Random(number).next()));
    minted.chain(imported).collect()
}

/// One guess, written over the last one.
fn guess(random: &mut Random, known: &[String], guess: &mut Vec<u8>) {
    let format = SecretFormat::standard();
    let neighbour = known[random.below(known.len())].as_bytes();
    guess.clear();
    guess.extend_from_slice(b"Bearer ");
    let front = guess.len();
    match random.below(6) {
        // As likely as a real one: our form, and a right checksum.
        0 => guess.extend_from_slice(format.mint(&mut |buffer| random.fill(buffer)).expose().as_bytes()),
        // One letter of a known one is another, and the checksum fits again.
        1 => {
            let place = random.below(32);
            let letter = u8::try_from(random.below(248)).unwrap();
            let mut copy: Vec<u8> =
                known[random.below(TOKENS)].bytes().skip(6).take(32).map(value_of).collect();
            let changed = letter % 62 != copy[place];
            copy[place] = if changed { letter } else { (letter + 1) % 62 };
            let near = format.mint(&mut |buffer| buffer[..32].copy_from_slice(&copy));
            guess.extend_from_slice(near.expose().as_bytes());
        }
        // One letter of a known one is another, and the checksum is not.
        2 => {
            guess.extend_from_slice(neighbour);
            let place = front + random.below(neighbour.len());
            guess[place] = if guess[place] == b'x' { b'y' } else { b'x' };
        }
        3 => guess.extend_from_slice(&neighbour[..neighbour.len() - 1]),
        4 => {
            guess.extend_from_slice(neighbour);
            guess.push(b'0');
        }
        _ => guess.extend_from_slice(format!("imported-{:016x}", random.next() | 1 << 63).as_bytes()),
    }
}

/// The number of a base62 letter, from which the letter is minted again.
fn value_of(letter: u8) -> u8 {
    match letter {
        b'0'..=b'9' => letter - b'0',
        b'A'..=b'Z' => letter - b'A' + 10,
        _ => letter - b'a' + 36,
    }
}

fn loaded(known: &[String]) -> Verifier {
    let owner = account(1, "brand");
    let tokens = known.iter().enumerate().map(|(number, secret)| {
        let access = scoped(&[]);
        let record = token(
            number as u128,
            &owner,
            &format!("BR{number}"),
            access,
            vec![secret_record(secret, 1, None)],
        );
        Record::Token(Arc::new(record))
    });
    let front = [Record::Catalog(catalog(&[])), Record::Account(Arc::new(owner.clone()))];
    verifier(front.into_iter().chain(tokens))
}

#[test]
fn no_guess_hits() {
    let known = known();
    let verifier = loaded(&known);
    // Every known secret does hit, so that a miss means something.
    for secret in &known {
        let ask = OwnedAsk::new(bearer(secret), crate::scene::Want::Identity);
        assert_eq!(code(&ask.decide(&verifier, NOW)), "allow");
    }
    let is_known: HashSet<&[u8]> = known.iter().map(String::as_bytes).collect();
    let (deadline, count) = (Deadline::start(), AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (known, is_known, verifier, deadline, count) =
                (&known, &is_known, &verifier, &deadline, &count);
            scope.spawn(move || {
                let (mut random, mut bytes) = (Random(0x7715 + number), Vec::new());
                while !deadline.is_over() && count.load(Ordering::Relaxed) < FULL_COUNT {
                    for _ in 0..1_000 {
                        guess(&mut random, known, &mut bytes);
                        // A neighbour may be a known one by chance; then it is no guess.
                        if is_known.contains(&bytes[7..]) {
                            continue;
                        }
                        let ask = Ask {
                            authorization: Authorization::One(&bytes),
                            target: Target::Identity,
                            version_headers: &[],
                            client_address: None,
                            min_seq: None,
                        };
                        let Decision::Deny(denied) = verifier.decide(&ask, NOW) else {
                            panic!("a guess hit: {}", String::from_utf8_lossy(&bytes));
                        };
                        assert_eq!(denied.denial, Denial::CredentialsInvalid);
                    }
                    count.fetch_add(1_000, Ordering::Relaxed);
                }
            });
        }
    });
    println!("T-1: {} guesses, 0 hits", count.load(Ordering::Relaxed));
    assert!(count.load(Ordering::Relaxed) >= 2_000);
}
