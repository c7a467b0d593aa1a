//! One request to the gateway, byte for byte as written, and everything that comes back. It is no HTTP client: what it
//! sends may be wrong on purpose.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

/// How long an answer may take before the gateway counts as silent: longer than any time limit a gateway should have.
pub const SILENT_AFTER: Duration = Duration::from_secs(15);
/// How long a connection is listened to after a whole answer, for another that nobody asked for.
const SETTLES_WITHIN: Duration = Duration::from_millis(250);
/// Most that is read of everything the gateway answers to one request, in bytes.
const ANSWERS_BYTES_MAX: usize = 256 * 1024;
/// Bytes read at once.
const PIECE_BYTES: usize = 8 * 1024;

/// An answer of the gateway.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Replies {
    /// Whole answers, interim ones left out.
    pub answers: Vec<Answer>,
    /// From the request to the first whole answer, or to the end of waiting.
    pub took: Duration,
}

/// A connection to the gateway.
pub struct Wire {
    stream: TcpStream,
}

impl Answer {
    /// The lines of a header.
    pub fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first line of a header, empty where there is none.
    pub fn header(&self, name: &str) -> String {
        self.lines(name).next().unwrap_or_default().to_owned()
    }
}

impl Wire {
    /// Connects.
    pub async fn open(address: &str) -> io::Result<Self> {
        let silent = |_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time");
        let stream = timeout(SILENT_AFTER, TcpStream::connect(address)).await.map_err(silent)??;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    /// Sends these bytes and reads until the gateway closes, falls silent, or has said enough. With `one` it stops at
    /// the first whole answer and keeps the connection.
    pub async fn exchange(&mut self, bytes: &[u8], one: bool) -> Replies {
        let begun = Instant::now();
        // The other side may refuse before it has read everything, and its answer is still to be read.
        let _ = timeout(SILENT_AFTER, self.stream.write_all(bytes)).await;
        let (mut received, mut piece, mut took) = (Vec::new(), [0; PIECE_BYTES], None);
        loop {
            let patience = if took.is_some() { SETTLES_WITHIN } else { SILENT_AFTER };
            let ended = match timeout(patience, self.stream.read(&mut piece)).await {
                Ok(Ok(read)) if read > 0 => {
                    received.extend_from_slice(&piece[..read]);
                    received.len() >= ANSWERS_BYTES_MAX
                }
                _ => true,
            };
            let answers = read_answers(&received, ended);
            if !answers.is_empty() && took.is_none() {
                took = Some(begun.elapsed());
            }
            if ended || (one && took.is_some()) {
                return Replies { answers, took: took.unwrap_or_else(|| begun.elapsed()) };
            }
        }
    }
}

/// The whole answers in what was received so far; with `ended`, also a last one whose end is the end of the connection.
fn read_answers(mut rest: &[u8], ended: bool) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some((answer, body)) = read_head(rest) {
        let Some(after) = skip_body(&answer, body, ended) else { break };
        rest = after;
        // Interim answers (RFC 9110, section 15.2) say nothing about what was decided.
        if answer.status >= 200 {
            answers.push(answer);
        }
    }
    answers
}

fn read_head(bytes: &[u8]) -> Option<(Answer, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some((Answer { status, headers }, &bytes[end + 4..]))
}

/// What follows the body of an answer; `None` while it is not whole.
fn skip_body<'b>(answer: &Answer, body: &'b [u8], ended: bool) -> Option<&'b [u8]> {
    if answer.status < 200 || matches!(answer.status, 204 | 304) {
        return Some(body);
    }
    if answer.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        return skip_chunks(body).or(ended.then_some(&[]));
    }
    match answer.header("content-length").parse::<usize>() {
        Ok(length) => body.get(length..).or(ended.then_some(&[])),
        Err(_) => ended.then_some(&[]),
    }
}

fn skip_chunks(mut body: &[u8]) -> Option<&[u8]> {
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&body[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        body = body.get(end + 2..)?.get(size..)?.strip_prefix(b"\r\n")?;
        if size == 0 {
            return Some(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_whatever_frames_them() {
        let statuses = |text: &str, ended| -> Vec<u16> {
            read_answers(text.as_bytes(), ended).iter().map(|answer| answer.status).collect()
        };
        let two = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(statuses(two, false), [200, 403]);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nHTTP/\r\n0\r\n\r\nHTTP/1.1 400 Bad\r\n\r\n";
        assert_eq!(statuses(chunked, false), [200]);
        assert_eq!(statuses(chunked, true), [200, 400]);
        assert_eq!(statuses("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", false), [204]);
        assert_eq!(statuses("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", false), [] as [u16; 0]);
        assert_eq!(statuses("SSH-2.0\r\n\r\n", true), [] as [u16; 0]);
        assert_eq!(statuses("HTTP/1.1 200", true), [] as [u16; 0]);
    }
}
