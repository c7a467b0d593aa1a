//! The same over HTTP/2 with prior knowledge (RFC 9113, section 3.3), where the gateway speaks it.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    super::{
        Doctor, Outcome, Question, Recorder, Unchecked, With,
        exchange::{Answer, SILENT_AFTER},
    },
    Found, LIE, is_refusal_of, said,
};

/// The preface of a client and an empty SETTINGS frame (RFC 9113, sections 3.4 and 6.5).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The type of a SETTINGS frame, which a server sends first.
const SETTINGS: u8 = 4;
/// Bytes of the head of a frame.
const FRAME_HEAD_BYTES: usize = 9;
/// Names a client may send over HTTP/2.
const LIES: [&str; 9] = [
    "x-countersign-account",
    "x-countersign-sid",
    "x-countersign-scope",
    "x_countersign_sid",
    "x_countersign_account",
    "x-countersign_scope",
    "x.countersign.sid",
    "x-http-method-override",
    "x-original-url",
];

/// What HTTP/1.1 refuses, HTTP/2 refuses.
pub async fn http2(doctor: &Doctor) -> Found {
    if !speaks_http2(doctor).await {
        // What is not there is no door.
        return Ok(Vec::new());
    }
    let (path, denied) = (doctor.target.path.as_str(), format!("/{}/denied", doctor.mark));
    let mut found = Vec::new();
    let good = Question::get(path, With::Good);
    let honest = send(doctor, good, None).await?;
    if !honest.passed() {
        found.push(doctor.finding(format!("HTTP/2 {}", said(good)), honest.told()));
    }
    for (target, with) in
        [(path, With::Nothing), (path, With::Wrong), (&denied, With::Good), (&denied, With::Nothing)]
    {
        let question = Question::get(target, with);
        let (first, second) = (doctor.send(question).await?, send(doctor, question, None).await?);
        let is_same = second.status() == first.status() || is_refusal_of(with, second.status());
        if second.passed() || !is_same {
            let happened = format!("HTTP/1.1: {}; HTTP/2: {}", first.told(), second.told());
            found.push(doctor.finding(format!("HTTP/2 {}", said(question)), happened));
        }
    }
    for name in LIES {
        let outcome = send(doctor, good, Some(name)).await?;
        for reached in &outcome.reached {
            if let Some((name, value)) = reached.headers.iter().find(|(_, value)| value.contains(LIE)) {
                let sent = format!("HTTP/2 {} {name}: {LIE}", said(good));
                found.push(doctor.finding(sent, format!("back end: {name}: {value}")));
            }
        }
    }
    for target in [format!("/x/..{path}"), format!("/{path}"), format!("/%2e{path}"), format!("{path};x=y")] {
        let question = Question::get(&target, With::Good);
        let outcome = send(doctor, question, None).await?;
        if outcome.passed() {
            found.push(doctor.finding(format!("HTTP/2 {}", said(question)), outcome.told()));
        }
    }
    Ok(found)
}

/// Whether the gateway answers the preface with SETTINGS.
async fn speaks_http2(doctor: &Doctor) -> bool {
    let asked = timeout(SILENT_AFTER, async {
        let mut stream = TcpStream::connect(doctor.target.address()).await.ok()?;
        stream.write_all(PREFACE).await.ok()?;
        let mut head = [0; FRAME_HEAD_BYTES];
        stream.read_exact(&mut head).await.ok()?;
        Some(head)
    });
    asked.await.ok().flatten().is_some_and(|head| head[3] == SETTINGS && !head.starts_with(b"HTTP"))
}

/// Sends a request over a connection of its own, with one lying header where one is named.
async fn send(doctor: &Doctor, question: Question<'_>, lying: Option<&str>) -> Result<Outcome, Unchecked> {
    doctor.sent.fetch_add(1, Ordering::Relaxed);
    if let Some(recorder) = &doctor.recorder {
        drop(recorder.take());
    }
    let begun = Instant::now();
    let status = timeout(SILENT_AFTER, ask(doctor, question, lying)).await.ok().and_then(Result::ok);
    let reached = doctor.recorder.as_ref().map(Recorder::take);
    let answers = status.map(|status| Answer { status, headers: Vec::new() }).into_iter().collect();
    Ok(Outcome {
        answers,
        proven: reached.is_some(),
        reached: reached.unwrap_or_default(),
        took: begun.elapsed(),
    })
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn ask(doctor: &Doctor, question: Question<'_>, lying: Option<&str>) -> Result<u16, AnyError> {
    let stream = TcpStream::connect(doctor.target.address()).await?;
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    // It ends with the sender.
    tokio::spawn(connection);
    let uri = format!("http://{}{}", doctor.target.authority, question.target);
    let mut request = Request::builder().method(question.method).uri(uri).header("user-agent", &doctor.mark);
    if let Some(secret) = doctor.secret_of(question.with) {
        request = request.header("authorization", format!("Bearer {secret}"));
    }
    if let Some(name) = lying {
        request = request.header(name, LIE);
    }
    let answer = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    Ok(answer.status().as_u16())
}
