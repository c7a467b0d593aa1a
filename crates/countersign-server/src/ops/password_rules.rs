//! Which passwords are taken: 15 to 128 characters, and not one that guessers try first (NIST SP 800-63B). No rule about
//! kinds of characters: those make passwords worse.

use crate::{
    error::{Error, Kind},
    limits::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN},
};

/// Words that common passwords are built of, one per line, lower case.
const COMMON_WORDS: &str = include_str!("common_words.txt");
/// What must be left of a password once everything guessable is taken out of it, in characters.
const REST_CHARS_MIN: usize = 6;
/// How many different characters a password needs at least.
const DISTINCT_CHARS_MIN: usize = 5;
/// Runs that keyboards and alphabets make; forwards and backwards.
const RUNS: [&str; 5] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiop",
    "qazwsxedcrfvtgbyhnujmikolp",
];
/// A piece of a run counts from so many characters on.
const RUN_CHARS_MIN: usize = 3;

/// Checks a new password. `context`: what guessers know of the person, such as their address and the account's name.
pub fn check(password: &str, context: &[&str]) -> Result<(), Error> {
    let length = password.chars().count();
    if length < PASSWORD_CHARS_MIN {
        return Err(refuse(&format!(
            "it has {length} characters and needs {PASSWORD_CHARS_MIN}; four or five words that have nothing to do with each other work well"
        )));
    }
    if length > PASSWORD_CHARS_MAX {
        return Err(refuse(&format!("it has {length} characters; the limit is {PASSWORD_CHARS_MAX}")));
    }
    if is_guessable(password, context) {
        return Err(refuse(
            "it is made of words, names or runs that are tried first; choose words that have nothing to do with each other",
        ));
    }
    Ok(())
}

fn refuse(detail: &str) -> Error {
    Error::new(Kind::Invalid, "password_refused", format!("The password is not taken: {detail}."))
        .at_field("password")
}

fn is_guessable(password: &str, context: &[&str]) -> bool {
    let plain = plain(password);
    let mut distinct: Vec<char> = plain.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() < DISTINCT_CHARS_MIN || repeats(&plain) || rest(&plain, context) < REST_CHARS_MIN
}

/// Lower case, with the usual swaps of digits for letters undone.
fn plain(text: &str) -> String {
    let swapped = |letter: char| match letter {
        '@' => 'a',
        '$' => 's',
        '!' => 'i',
        other => other,
    };
    text.to_lowercase().chars().map(swapped).filter(|letter| !letter.is_whitespace()).collect()
}

/// Whether it is one piece over and over: `sunshinesunshine`.
fn repeats(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    (1..=letters.len() / 2).any(|period| letters.iter().zip(&letters[period..]).all(|(a, b)| a == b))
}

/// How many characters are left once guessable words and runs are taken out, digits beside them too.
fn rest(text: &str, context: &[&str]) -> usize {
    let digits_as_letters = |letter: char| match letter {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        other => other,
    };
    let read_as_words: String = text.chars().map(digits_as_letters).collect();
    [text, &read_as_words].into_iter().map(|text| rest_of(text, context)).min().unwrap_or(0)
}

fn rest_of(text: &str, context: &[&str]) -> usize {
    let context: Vec<String> = context
        .iter()
        .flat_map(|part| part.split(|letter: char| !letter.is_alphanumeric()))
        .map(str::to_lowercase)
        .filter(|word| word.chars().count() >= RUN_CHARS_MIN)
        .collect();
    let mut words: Vec<&str> = COMMON_WORDS.lines().chain(context.iter().map(String::as_str)).collect();
    // Longer words first: `password` goes before `pass` leaves `word`.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut left = text.to_owned();
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        left = left.replace(word, " ");
    }
    left.split(' ')
        .map(|piece| {
            piece.chars().filter(|letter| letter.is_alphabetic()).count().saturating_sub(in_runs(piece))
        })
        .sum()
}

/// Letters of a piece that belong to a run of keyboard, alphabet or one character.
fn in_runs(piece: &str) -> usize {
    let letters: Vec<char> = piece.chars().collect();
    let (mut at, mut covered) = (0, 0);
    while at < letters.len() {
        let length = (RUN_CHARS_MIN..=letters.len() - at)
            .rev()
            .find(|&length| is_run(&letters[at..at + length]))
            .unwrap_or(0);
        covered += letters[at..at + length].iter().filter(|letter| letter.is_alphabetic()).count();
        at += length.max(1);
    }
    covered
}

fn is_run(letters: &[char]) -> bool {
    let forwards: String = letters.iter().collect();
    let backwards: String = letters.iter().rev().collect();
    letters.windows(2).all(|pair| pair[0] == pair[1])
        || RUNS.iter().any(|run| run.contains(&forwards) || run.contains(&backwards))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guessers_try_first_is_refused_and_sentences_are_not() {
        let context = ["ada.lovelace@example.com", "Ada Lovelace", "Northwind Outdoor"];
        for bad in [
            "short",
            "fourteen chars",
            "passwordpassword",
            "Password123456789",
            "P@ssw0rdP@ssw0rd!",
            "aaaaaaaaaaaaaaaaaaaa",
            "123456789012345678",
            "qwertyuiopasdfgh",
            "qwerty1234567890",
            "abcdefghijklmnopqrst",
            "abcabcabcabcabcabc",
            "sunshinesunshine",
            "iloveyouiloveyou",
            "countersign2026!!",
            "Countersign-Countersign",
            "ada.lovelace.2026!!",
            "northwind-outdoor-1",
            "letmeinletmein123",
            "welcomewelcome1!",
            "adminadminadmin1",
            "zyxwvutsrqponmlkj",
            "1qaz2wsx3edc4rfv5tgb",
            "monkeydragonfootball",
            "LovelaceLovelace1",
        ] {
            assert!(check(bad, &context).is_err(), "{bad}");
        }
        for good in [
            "correct horse battery staple",
            "grumpy-otter-vanilla-lantern",
            "Nebelhorn kaut Zimtschnecken",
            "tlx8-Qmzr-0vKp-w3Hd",
            "\u{6211}\u{7684}\u{7334}\u{5b50}\u{559c}\u{6b22}\u{5728}\u{96e8}\u{5929}\u{5403}\u{9999}\u{8549}\u{548c}\u{82b1}\u{751f}\u{7cd6}",
        ] {
            assert!(check(good, &context).is_ok(), "{good}");
        }
        assert!(check(&"xk\u{f6}q-".repeat(40), &[]).is_err(), "too long");
    }
}
