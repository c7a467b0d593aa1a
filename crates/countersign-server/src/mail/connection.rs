//! One conversation with the mail server, step by step, each under its own time limit. Over STARTTLS nothing the server
//! (or somebody before it) said in the clear survives into the protected part: the stream hands out one line at a time,
//! so that what was sent behind the last clear line meets the TLS handshake, which refuses it.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use lettre::transport::smtp::{
    self,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters},
    commands::{Data, Mail, Rcpt},
    extension::{ClientId, Extension, MailBodyParameter, MailParameter},
};
use tokio::{
    io::{AsyncBufRead as _, AsyncRead, AsyncWrite, BufReader, ReadBuf},
    net::TcpStream,
    time::timeout,
};

use super::{
    message::Prepared,
    reply::{Step, Trouble},
    settings::{MailSettings, TlsMode},
};

/// A signed-in conversation.
pub(super) struct Conversation {
    connection: AsyncSmtpConnection,
    secs: u32,
}

impl Conversation {
    /// Connects, protects the connection as configured, and signs in.
    pub(super) async fn open(settings: &MailSettings, tls: Option<TlsParameters>) -> Result<Self, Trouble> {
        let hello = greeting(&settings.hello);
        let secs = settings.timeout_secs;
        let connection = match tls {
            Some(tls) if settings.tls == TlsMode::Implicit => {
                let server = (settings.host.as_str(), settings.port);
                let limit = Duration::from_secs(secs.into());
                let connecting =
                    AsyncSmtpConnection::connect_tokio1(server, Some(limit), &hello, Some(tls), None);
                within(Step::Connect, secs, connecting).await?
            }
            tls => {
                let mut connection = in_the_clear(settings, &hello).await?;
                if let Some(tls) = tls {
                    within(Step::Encrypt, secs, connection.starttls(tls, &hello)).await?;
                }
                connection
            }
        };
        let mut conversation = Self { connection, secs };
        conversation.sign_in(settings).await?;
        Ok(conversation)
    }

    async fn sign_in(&mut self, settings: &MailSettings) -> Result<(), Trouble> {
        let Some(user) = &settings.user else { return Ok(()) };
        let password = settings
            .password
            .read()
            .map_err(|cause| Trouble::ours(Step::SignIn, format!("mail.password_file: {cause}")))?
            .unwrap_or_default();
        let credentials = Credentials::new(user.clone(), password.as_str().to_owned());
        let signing_in = self.connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
        within(Step::SignIn, self.secs, signing_in).await.map(drop)
    }

    /// Hands one message over; answers the server's code.
    pub(super) async fn hand_over(&mut self, message: &Prepared) -> Result<u16, Trouble> {
        let parameters = self.parameters(message)?;
        let from = Mail::new(Some(message.from.clone()), parameters);
        within(Step::Sender, self.secs, self.connection.command(from)).await?;
        let to = Rcpt::new(message.to.clone(), Vec::new());
        within(Step::Recipient, self.secs, self.connection.command(to)).await?;
        within(Step::Content, self.secs, self.connection.command(Data)).await?;
        let taken = within(Step::Content, self.secs, self.connection.message(&message.bytes)).await?;
        Ok(taken.code().into())
    }

    /// What the message needs of the server.
    fn parameters(&self, message: &Prepared) -> Result<Vec<MailParameter>, Trouble> {
        let offers = |extension| self.connection.server_info().supports_feature(extension);
        let mut parameters = Vec::new();
        if ![&message.from, &message.to].iter().all(|address| address.to_string().is_ascii()) {
            if !offers(Extension::SmtpUtfEight) {
                let said = "the address is not ASCII, and the server does not know SMTPUTF8 (RFC 6531)";
                return Err(Trouble::ours(Step::Recipient, said));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !message.bytes.is_ascii() && offers(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }

    /// Whether what is said is protected.
    pub(super) fn is_encrypted(&self) -> bool {
        self.connection.is_encrypted()
    }

    /// Takes leave. What the server answers to it makes no difference.
    pub(super) async fn close(mut self) {
        let _ = timeout(Duration::from_secs(self.secs.into()), self.connection.abort()).await;
    }
}

async fn in_the_clear(settings: &MailSettings, hello: &ClientId) -> Result<AsyncSmtpConnection, Trouble> {
    let limit = Duration::from_secs(settings.timeout_secs.into());
    let server = (settings.host.as_str(), settings.port);
    let stream = timeout(limit, TcpStream::connect(server))
        .await
        .map_err(|_| Trouble::late(Step::Connect, settings.timeout_secs))?
        .map_err(|cause| Trouble::ours(Step::Connect, cause))?;
    let stream = Box::new(LineByLine(BufReader::new(stream)));
    let connecting = AsyncSmtpConnection::connect_with_transport(stream, hello);
    within(Step::Connect, settings.timeout_secs, connecting).await
}

async fn within<T>(
    step: Step,
    secs: u32,
    asked: impl Future<Output = Result<T, smtp::Error>>,
) -> Result<T, Trouble> {
    match timeout(Duration::from_secs(secs.into()), asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Trouble::at(step, &error)),
        Err(_) => Err(Trouble::late(step, secs)),
    }
}

fn greeting(hello: &str) -> ClientId {
    match hello.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(hello.to_owned()),
    }
}

/// A stream of which no read goes past the end of a line, so that whoever reads lines from it holds no byte of the next.
#[derive(Debug)]
struct LineByLine(BufReader<TcpStream>);

impl AsyncTokioStream for LineByLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }
}

impl AsyncRead for LineByLine {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let held = ready!(Pin::new(&mut self.0).poll_fill_buf(context))?;
        let line = held.iter().position(|byte| *byte == b'\n').map_or(held.len(), |end| end + 1);
        let length = line.min(buffer.remaining());
        buffer.put_slice(&held[..length]);
        Pin::new(&mut self.0).consume(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineByLine {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
