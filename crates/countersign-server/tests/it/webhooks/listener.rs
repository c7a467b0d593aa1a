//! A real HTTP listener on every address of this machine, which counts who connects and keeps what they sent.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// What arrived.
#[derive(Debug, Clone, Default)]
pub struct Received {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A listener that answers every request with the same bytes.
pub struct Listener {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

impl Listener {
    /// Answers like this.
    pub fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::at(0, answer)
    }

    /// At this port, answers with this status and nothing else.
    pub fn on(port: u16, status: u16) -> Self {
        Self::at(port, with_status(status))
    }

    fn at(port: u16, answer: impl Into<Vec<u8>>) -> Self {
        let everywhere = [
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        ];
        let listener = TcpListener::bind(everywhere.as_slice()).unwrap();
        let this = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            received: Arc::default(),
        };
        let (connections, received) = (Arc::clone(&this.connections), Arc::clone(&this.received));
        let answer = Arc::new(answer.into());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (received, answer) = (Arc::clone(&received), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &received, &answer));
            }
        });
        this
    }

    /// Answers with this status and nothing else.
    pub fn with_status(status: u16) -> Self {
        Self::answering(with_status(status))
    }

    /// How many connections there were. A client that has its answer, or lost its connection, is counted already.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests that were read to their end.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn with_status(status: u16) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// Reads one request and answers it; closes what is no HTTP, such as the beginning of TLS.
fn serve(mut stream: TcpStream, received: &Mutex<Vec<Received>>, answer: &[u8]) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let Some(request) = read(&mut reader) else { return };
    received.lock().unwrap().push(request);
    let _ = stream.write_all(answer);
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut request = Received::default();
    let mut first = Vec::new();
    reader.take(8_192).read_until(b'\n', &mut first).ok()?;
    String::from_utf8(first).ok()?.trim().clone_into(&mut request.line);
    if !request.line.ends_with("HTTP/1.1") {
        return None;
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").parse().ok()?;
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
