//! Countersign on a bad day, as the relay plays it: nothing passes, callers hear of it in time, and what Countersign does
//! say reaches them as it is.

use std::time::Duration;

use super::{
    super::{Behaviour, Doctor, Finding, Question, Relay, Unchecked, With},
    Found, is_refusal_of, said,
};

/// The real answer is kept back this long: far beyond the two seconds of our recipes.
const HELD: Duration = Duration::from_secs(9);
/// Who waits longer for an answer that does not come piles up requests.
const LATE_AFTER: Duration = Duration::from_secs(6);

const ALLOW: &str = "HTTP/1.1 200 OK\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\
    X-Countersign-Account: acc_0\r\nX-Countersign-Account-Kind: brand\r\nX-Countersign-Sid: S0\r\n\
    X-Countersign-Scope: probe\r\nX-Countersign-Api-Version: 1\r\n\
    X-Countersign-Request-Id: req_0123456789abcdefghjkmnpqrs\r\nX-Countersign-Assertion: \r\n\
    RateLimit: \"default\";r=5;t=7\r\nRateLimit-Policy: \"default\";q=9;w=60\r\nDeprecation: @1767225600\r\n\
    Sunset: Tue, 31 Dec 2999 00:00:00 GMT\r\nLink: <https://example.com/>; rel=\"deprecation\"\r\n\
    Content-Length: 0\r\nConnection: close\r\n\r\n";

/// Ways to fail below HTTP, and answers that are none: to the caller each is an outage.
const BROKEN: [(&str, Behaviour); 13] = [
    ("stopped", Behaviour::Stopped),
    ("closing", Behaviour::Closes),
    ("resetting", Behaviour::Resets),
    ("garbage", Behaviour::Says("garbage\r\n\r\n")),
    ("another protocol", Behaviour::Says("SSH-2.0-OpenSSH_9.2\r\n")),
    ("a header without a status", Behaviour::Says("X-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\r\n")),
    ("half a status line", Behaviour::Says("HTTP/1.1 20")),
    ("half a header", Behaviour::Says("HTTP/1.1 200 OK\r\nX-Request-Id: req_0123")),
    ("NUL bytes", Behaviour::Says("\0\0\0\0\0\0\0\0")),
    (
        "500",
        Behaviour::Says(
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
    ),
    ("502", Behaviour::Says("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
    ("hanging", Behaviour::Hangs),
    ("half an answer, then hanging", Behaviour::Breaks("HTTP/1.1 200 OK\r\nX-Request-Id: req_0123")),
];
/// Answers of another program on Countersign's port. The caller may hear any refusal.
const STRANGE: [(&str, Behaviour); 4] = [
    (
        "302",
        Behaviour::Says(
            "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
    ),
    ("404", Behaviour::Says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
    ("418", Behaviour::Says("HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
    ("999", Behaviour::Says("HTTP/1.1 999 What\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
];
/// The same with a good status. Who looks at nothing else takes them for an allow.
const STRANGE_SUCCESS: [(&str, Behaviour); 4] = [
    ("an empty 200", Behaviour::Says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
    (
        "an allow without an id",
        Behaviour::Decides("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    ),
    (
        "200 with another id",
        Behaviour::Says(
            "HTTP/1.1 200 OK\r\nX-Request-Id: other\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
    ),
    ("204", Behaviour::Says("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")),
];

/// A status, the answer with it, and the headers that must arrive.
type Said = (u16, &'static str, &'static [(&'static str, &'static str)]);

/// What Countersign says, with the request id it has on every answer to a gateway it knows.
const SAID: [Said; 6] = [
    (
        400,
        "HTTP/1.1 400 Bad Request\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
        &[],
    ),
    (
        401,
        "HTTP/1.1 401 Unauthorized\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\
         WWW-Authenticate: Basic realm=\"probe\", Bearer realm=\"probe\"\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
        &[("www-authenticate", "Basic realm=\"probe\", Bearer realm=\"probe\"")],
    ),
    (
        403,
        "HTTP/1.1 403 Forbidden\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
        &[],
    ),
    (
        429,
        "HTTP/1.1 429 Too Many Requests\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\
         Retry-After: 7\r\nRateLimit: \"default\";r=0;t=7\r\n\
         RateLimit-Policy: \"default\";q=9;w=60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        &[
            ("retry-after", "7"),
            ("ratelimit", "\"default\";r=0;t=7"),
            ("ratelimit-policy", "\"default\";q=9;w=60"),
        ],
    ),
    (
        503,
        "HTTP/1.1 503 Service Unavailable\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\
         Retry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        &[("retry-after", "1")],
    ),
    (
        200,
        ALLOW,
        &[
            ("ratelimit", "\"default\";r=5;t=7"),
            ("ratelimit-policy", "\"default\";q=9;w=60"),
            ("deprecation", "@1767225600"),
            ("sunset", "Tue, 31 Dec 2999 00:00:00 GMT"),
            ("link", "<https://example.com/>; rel=\"deprecation\""),
        ],
    ),
];

fn needs_relay(doctor: &Doctor) -> Result<&Relay, Unchecked> {
    doctor.relay.as_ref().ok_or_else(|| Unchecked::Needs("give --ask-at and --data-plane".to_owned()))
}

/// Plays this and answers true, or does not. What somebody could take for an allow lets every client of the gateway in, so
/// it is played only where we are the back end.
async fn plays(doctor: &Doctor, relay: &Relay, behaviour: Behaviour) -> Result<bool, Unchecked> {
    let is_safe = doctor.recorder.is_some() || !behaviour.may_allow();
    if is_safe {
        relay.behave(behaviour).await?;
    }
    Ok(is_safe)
}

/// What was found, or, where a part was left out and nothing was found, what is missing.
fn found_or_left_out(found: Vec<Finding>, left_out: usize) -> Found {
    if found.is_empty() && left_out > 0 {
        let needs =
            "give --back-end-at; what could be an allow is played only where the doctor is the back end";
        return Err(Unchecked::Needs(needs.to_owned()));
    }
    Ok(found)
}

/// Nothing passes while Countersign is broken, and callers hear that it is.
pub async fn outage(doctor: &Doctor) -> Found {
    let relay = needs_relay(doctor)?;
    let (mut found, mut left_out) = (Vec::new(), 0);
    let strange = STRANGE.iter().chain(&STRANGE_SUCCESS).map(|one| (one, false));
    for ((how, behaviour), is_outage) in BROKEN.iter().map(|one| (one, true)).chain(strange) {
        if !plays(doctor, relay, *behaviour).await? {
            left_out += 1;
            continue;
        }
        for with in [With::Good, With::Nothing] {
            let question = Question::get(&doctor.target.path, with);
            let outcome = doctor.send(question).await?;
            // A gateway that refuses by itself whoever brings no credential need not ask.
            let told =
                (500..600).contains(&outcome.status()) || (with == With::Nothing && outcome.status() == 401);
            if outcome.passed() || (is_outage && !told) {
                found.push(
                    doctor.finding(format!("{} while Countersign: {how}", said(question)), outcome.told()),
                );
            }
        }
    }
    found_or_left_out(found, left_out)
}

/// A late answer is no answer.
pub async fn late_answers(doctor: &Doctor) -> Found {
    let relay = needs_relay(doctor)?;
    relay.behave(Behaviour::Holds(HELD)).await?;
    let mut found = Vec::new();
    for with in [With::Good, With::Nothing] {
        let question = Question::get(&doctor.target.path, with);
        let outcome = doctor.send(question).await?;
        if outcome.took > LATE_AFTER || outcome.passed() {
            let happened = format!("{} after {:.1} s", outcome.told(), outcome.took.as_secs_f64());
            let sent = format!("{} while Countersign answers after {} s", said(question), HELD.as_secs());
            found.push(doctor.finding(sent, happened));
        }
    }
    Ok(found)
}

/// What Countersign says reaches the caller.
pub async fn statuses(doctor: &Doctor) -> Found {
    let mut found = Vec::new();
    let denied = format!("/{}/denied", doctor.mark);
    let path = doctor.target.path.as_str();
    for (target, with) in [(path, With::Nothing), (path, With::Wrong), (denied.as_str(), With::Good)] {
        let question = Question::get(target, with);
        let outcome = doctor.send(question).await?;
        let lines = outcome.answers.first().map_or(0, |answer| answer.lines("www-authenticate").count());
        if !is_refusal_of(with, outcome.status()) || (outcome.status() == 401) != (lines == 1) {
            let happened = format!("{}, {lines} lines of WWW-Authenticate", outcome.told());
            found.push(doctor.finding(said(question), happened));
        }
    }
    let relay = match &doctor.relay {
        Some(relay) => relay,
        None if found.is_empty() => {
            return Err(Unchecked::Needs("give --ask-at and --data-plane".to_owned()));
        }
        None => return Ok(found),
    };
    let mut left_out = 0;
    for (status, says, headers) in SAID {
        if !plays(doctor, relay, Behaviour::Decides(says)).await? {
            left_out += 1;
            continue;
        }
        let question = Question::get(&doctor.target.path, With::Good);
        let outcome = doctor.send(question).await?;
        let answer = outcome.answers.first();
        let lost = |(name, value): &&(&str, &str)| answer.is_none_or(|answer| answer.header(name) != *value);
        let lost: Vec<&str> = headers.iter().filter(lost).map(|(name, _)| *name).collect();
        if outcome.status() != status || !lost.is_empty() {
            let happened = format!("{}; lost: {}", outcome.told(), lost.join(", "));
            found.push(
                doctor.finding(format!("{} while Countersign says {status}", said(question)), happened),
            );
        }
    }
    found_or_left_out(found, left_out)
}
