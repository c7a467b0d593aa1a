//! What is sealed opens in its place and nowhere else, whatever version wrote it.

use countersign_model::{secret::SecretFormat, time::Timestamp};

use super::*;
use crate::keys::Ring;

fn random() -> Random {
    Random::seeded(7)
}

fn secret(random: &Random) -> Secret {
    SecretFormat::standard().mint(&mut |buffer| random.fill(buffer).unwrap())
}

fn place_of(random: &Random) -> Place {
    let now = Timestamp::from_unix_secs(1);
    Place { account: random.id(now).unwrap(), token: random.id(now).unwrap(), generation: 1 }
}

#[test]
fn a_sealed_secret_opens_only_in_its_place() {
    let (ring, random) = (Ring::of_roots([1; 32], &[[2; 32]]), random());
    let now = Timestamp::from_unix_secs(1);
    let place = place_of(&random);
    let wrapped = DataKey::make_in(&ring, &random, place.account, 3).unwrap();
    assert_eq!((wrapped.root, wrapped.generation), (1, 3));
    let key = DataKey::unwrap_in(&ring, place.account, &wrapped.wrapped).unwrap();
    let secret = secret(&random);
    let sealed = key.seal(&random, place, &secret).unwrap();
    assert_eq!(Header::read(&sealed).unwrap().0, Header::new(0, 3));
    assert_eq!(key.open(place, &sealed).unwrap().expose(), secret.expose());
    assert!(key.open(Place { generation: 2, ..place }, &sealed).is_err());
    assert!(key.open(Place { token: random.id(now).unwrap(), ..place }, &sealed).is_err());
    assert!(DataKey::unwrap_in(&ring, random.id(now).unwrap(), &wrapped.wrapped).is_err());
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(key.open(place, &changed).is_err(), "byte {index}");
    }
    for length in 0..sealed.len() {
        assert!(key.open(place, &sealed[..length]).is_err(), "the first {length} bytes");
    }
}

#[test]
fn a_data_key_moves_from_root_to_root() {
    let (ring, random) = (Ring::of_roots([1; 32], &[[2; 32]]), random());
    let account = place_of(&random).account;
    let old = DataKey::make_in(&ring, &random, account, 1).unwrap();
    let both = Ring::of_roots([1; 32], &[[3; 32], [2; 32]]);
    let new = DataKey::rewrap_in(&both, &random, account, &old.wrapped).unwrap();
    assert_eq!((new.root, new.generation), (2, 1));
    let same =
        |ring: &Ring, wrapped: &WrappedKey| DataKey::unwrap_in(ring, account, &wrapped.wrapped).unwrap().key;
    assert_eq!(same(&both, &old), same(&both, &new));
    let later = Ring::of_roots([1; 32], &[[3; 32]]).with_first_generation(2);
    assert_eq!(same(&later, &new), same(&both, &new));
    assert!(DataKey::unwrap_in(&later, account, &old.wrapped).is_err(), "its root is gone");
}

#[test]
fn what_belongs_to_the_installation_opens_only_in_its_place() {
    let (ring, random) = (Arc::new(Ring::of_roots([1; 32], &[[2; 32]])), random());
    let key = InstallationKey::of(ring);
    let sealed = key.seal(&random, &[b"webhook-secret/1", b"a"], b"value").unwrap();
    assert_eq!(key.open(&[b"webhook-secret/1", b"a"], &sealed).unwrap().as_slice(), b"value");
    let elsewhere: [&[&[u8]]; 4] =
        [&[b"webhook-secret/1", b"b"], &[b"webhook-secret/1a"], &[b"webhook-secret/1", b"a", b""], &[]];
    for context in elsewhere {
        assert!(key.open(context, &sealed).is_err());
    }
}

/// What every version and algorithm wrote is still read, and is moved on by sealing it anew. A new one needs its line.
#[test]
fn every_version_and_algorithm_is_read_and_moved() {
    let (ring, random) = (Ring::of_roots([1; 32], &[[2; 32]]), random());
    let place = place_of(&random);
    for version in Version::ALL {
        for algorithm in Algorithm::ALL {
            let secret = secret(&random);
            let (wrapped, sealed) = match (version, algorithm) {
                (Version::One, Algorithm::XChaCha20Poly1305) => {
                    let old = |key: &[u8; 32], place: &[u8], plain: &[u8]| {
                        envelope::seal_as_version_one(key, &random, place, plain)
                    };
                    let (root, bound) = (ring.reveal_root().expose(), account_place(place.account));
                    (old(root, &bound, &[9; 32]), old(&[9; 32], &place.bound(), secret.expose().as_bytes()))
                }
                (Version::Two, Algorithm::XChaCha20Poly1305) => {
                    let wrapped = DataKey::make_in(&ring, &random, place.account, 1).unwrap().wrapped;
                    let key = DataKey::unwrap_in(&ring, place.account, &wrapped).unwrap();
                    (wrapped, key.seal(&random, place, &secret).unwrap())
                }
            };
            assert_eq!(sealed[..2], [version as u8, algorithm as u8]);
            let former = DataKey::unwrap_in(&ring, place.account, &wrapped).unwrap();
            let opened = former.open(place, &sealed).unwrap();
            assert_eq!(opened.expose(), secret.expose());
            let next = DataKey::make_in(&ring, &random, place.account, 2).unwrap();
            let next = DataKey::unwrap_in(&ring, place.account, &next.wrapped).unwrap();
            let moved = next.seal(&random, place, &opened).unwrap();
            assert_eq!(Header::read(&moved).unwrap().0, Header::new(0, 2), "written as today");
            assert_eq!(next.open(place, &moved).unwrap().expose(), secret.expose());
            assert!(former.open(place, &moved).is_err());
        }
    }
}
