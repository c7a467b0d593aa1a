//! The gateways we ship a recipe for, as data: how each is filled in, started and spoken to, and how its recipe can be
//! spoiled. A further gateway is one file here and one line in [`ALL`]. What is asked of them is the same for all and
//! stands in the suite.

mod apache;
mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod running;
mod traefik;

pub use running::{Between, Running, place};

/// All of them.
pub const ALL: [&Gateway; 7] = [
    &nginx::GATEWAY,
    &haproxy::GATEWAY,
    &caddy::GATEWAY,
    &traefik::GATEWAY,
    &envoy::OVER_HTTP,
    &envoy::OVER_GRPC,
    &apache::GATEWAY,
];

/// A gateway with a recipe.
pub struct Gateway {
    /// Its folder in `gateways/`.
    pub name: &'static str,
    /// The profile it is made with, by name.
    pub profile: &'static str,
    /// Where its program may be; a relative path is below the root of the repository.
    pub program: &'static [&'static str],
    /// The files of its recipe.
    pub files: &'static [&'static str],
    /// The file with the credential, and what it says; `@VALUE@` stands for the credential.
    pub credential: (&'static str, &'static str),
    /// The arguments it is started with.
    pub arguments: &'static [&'static str],
    /// How its clients speak HTTP/2.
    pub http2: Http2,
    /// What a client gets while Countersign cannot say.
    pub outage: Outage,
    /// What it does that others do not.
    pub habits: &'static [Habit],
    /// What opens it or makes it lie.
    pub faults: &'static [Fault],
}

impl Gateway {
    pub fn has(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }
}

/// What some gateways do and others do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Header fields behind a body go on to the back end, as its page says.
    PassesTrailers,
    /// It looks at more of an answer than its status: then nothing but a true allow of Countersign opens it.
    ReadsAnswers,
    /// It decodes needless escapes (`%41`) by itself, before it asks and for the back end alike.
    DecodesLetters,
    /// The body of a refusal, with its details, reaches the client.
    PassesBodies,
    /// Its log names the paths of requests.
    LogsPaths,
    /// It listens before it has read what to do, and answers 404 until then.
    Settles,
    /// It asks over gRPC.
    AsksOverGrpc,
}

/// How clients speak HTTP/2 with a gateway.
pub enum Http2 {
    /// In clear text, at the same address.
    Clear,
    /// With TLS only, for which a text of the recipe is replaced. `@SECOND@` stands for another address,
    /// `@DIRECTORY@/tls.crt` and `tls.key` are there.
    Tls(Edit),
}

/// What a client gets while Countersign cannot say.
pub struct Outage {
    /// One of these.
    pub statuses: &'static [u16],
    /// Whether it comes with `Retry-After: 1`.
    pub retry_after: bool,
}

/// A text of a recipe replaced by another.
pub struct Edit {
    pub file: &'static str,
    pub find: &'static str,
    pub replace: &'static str,
}

/// A recipe deliberately broken.
pub struct Fault {
    /// What is wrong with it.
    pub name: &'static str,
    /// What was done to it.
    pub edits: &'static [Edit],
    /// As what the suite finds it.
    pub found: Class,
}

/// What a gateway can do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The back end saw a request that the decision denies.
    Open,
    /// The back end saw what only gateway and Countersign may say, said by a client.
    Spoofed,
    /// The back end saw other bytes than were decided about.
    Rewritten,
    /// The back end saw the credential.
    Credential,
    /// The client was told something else than was decided.
    Untrue,
    /// A failure of Countersign was an allow.
    FailsOpen,
    /// A failure of Countersign was not told within the time.
    Late,
    /// An answer was used again.
    Cached,
    /// A header that belongs to the client did not arrive.
    Untold,
    /// A connection was made for every question.
    Unkept,
}
