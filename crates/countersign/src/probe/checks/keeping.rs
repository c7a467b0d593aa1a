//! Answers that are used twice: kept by path, by credential or by connection.

use super::{
    super::{Behaviour, Doctor, Question, Unchecked, With},
    Found, said,
};

const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Requests that would be answered from a memory, were there one.
const AGAIN: usize = 3;
/// Questions that share connections, or do not.
const QUESTIONS: usize = 20;

/// No answer is kept.
pub async fn caching(doctor: &Doctor) -> Found {
    let mut found = Vec::new();
    let path = doctor.target.path.as_str();
    for _ in 0..AGAIN {
        let refused = doctor.must_not_pass(Question::get(path, With::Nothing), &mut found).await?;
        let good = Question::get(path, With::Good);
        let allowed = doctor.send(good).await?;
        if !allowed.passed() || allowed.status() == refused.status() {
            found.push(doctor.finding(format!("{} after one without", said(good)), allowed.told()));
        }
        // On one connection the answer to the first must not do for the second.
        let mut wire = doctor.connect().await?;
        doctor.send_on(&mut wire, good, true).await?;
        let second = Question::get(path, With::Nothing);
        let outcome = doctor.send_on(&mut wire, second, true).await?;
        if outcome.passed() {
            found.push(
                doctor.finding(
                    format!("{} on a connection that was let through", said(second)),
                    outcome.told(),
                ),
            );
        }
    }
    let Some(relay) = &doctor.relay else {
        return if found.is_empty() && doctor.platform.is_none() {
            Err(Unchecked::Needs("give --ask-at and --data-plane, or --account and --scope".to_owned()))
        } else {
            Ok(found)
        };
    };
    let good = Question::get(path, With::Good);
    for (how, behaviour) in [("says 403", Behaviour::Decides(FORBIDDEN)), ("is stopped", Behaviour::Stopped)]
    {
        relay.behave(Behaviour::Passes).await?;
        doctor.recover().await?;
        relay.behave(behaviour).await?;
        for _ in 0..AGAIN {
            let outcome = doctor.send(good).await?;
            if outcome.passed() {
                let sent = format!("{} right after it was allowed, while Countersign {how}", said(good));
                found.push(doctor.finding(sent, outcome.told()));
            }
        }
    }
    relay.behave(Behaviour::Decides(FORBIDDEN)).await?;
    doctor.send(good).await?;
    relay.behave(Behaviour::Passes).await?;
    let outcome = doctor.send(good).await?;
    if outcome.status() == 403 {
        found.push(
            doctor.finding(format!("{} right after Countersign refused it", said(good)), outcome.told()),
        );
    }
    Ok(found)
}

/// A disabled token is refused by the next request.
pub async fn revocation(doctor: &Doctor) -> Found {
    let Some(platform) = &doctor.platform else {
        return Err(Unchecked::Needs("give --account and --scope".to_owned()));
    };
    let mut found = Vec::new();
    let good = Question::get(&doctor.target.path, With::Good);
    for _ in 0..AGAIN {
        let mut wire = doctor.connect().await?;
        doctor.send_on(&mut wire, good, true).await?;
        platform.disable().await?;
        let kept = doctor.send_on(&mut wire, good, true).await?;
        let new = doctor.send(good).await?;
        platform.enable().await?;
        for (how, outcome) in [("on a kept connection", kept), ("on a new connection", new)] {
            if outcome.passed() {
                found.push(
                    doctor.finding(
                        format!("{} {how}, after the token was disabled", said(good)),
                        outcome.told(),
                    ),
                );
            }
        }
        doctor.recover().await?;
    }
    Ok(found)
}

/// Questions share connections.
pub async fn connections(doctor: &Doctor) -> Found {
    let Some(relay) = &doctor.relay else {
        return Err(Unchecked::Needs("give --ask-at and --data-plane".to_owned()));
    };
    let good = Question::get(&doctor.target.path, With::Good);
    // On one connection, so that of several workers one has all of them.
    let mut wire = doctor.connect().await?;
    let before = relay.connections();
    for _ in 0..QUESTIONS {
        let outcome = doctor.send_on(&mut wire, good, true).await?;
        if outcome.answers.is_empty() {
            wire = doctor.connect().await?;
        }
    }
    let made = relay.connections() - before;
    if made <= QUESTIONS / 2 {
        return Ok(Vec::new());
    }
    Ok(vec![
        doctor.finding(
            format!("{QUESTIONS} times {}", said(good)),
            format!("{made} connections for questions"),
        ),
    ])
}
