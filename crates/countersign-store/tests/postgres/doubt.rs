//! A connection that is lost in the middle of a commit: what is told is what happened, or that nobody knows. A proxy
//! stands between store and server, reads along, and cuts where a test says.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use countersign_model::change::Seq;
use countersign_store::{AuditFinding, Error, Store};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream, UnixStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
        unix::{OwnedReadHalf as ServerReads, OwnedWriteHalf as ServerWrites},
    },
};

use crate::world::{account, account_id, at, opening, person, server::Database, token, user_id, write};

/// Lets everything pass.
const PASS: u8 = 0;
/// Cuts instead of passing a commit on.
const CUT_BEFORE: u8 = 1;
/// Passes a commit on, and cuts when it is answered.
const CUT_AFTER: u8 = 2;

struct Proxy {
    port: u16,
    cut: Arc<AtomicU8>,
    refuses: Arc<AtomicBool>,
    /// Refuses from the next cut on.
    then_refuses: Arc<AtomicBool>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            cut: Arc::default(),
            refuses: Arc::default(),
            then_refuses: Arc::default(),
        };
        let (socket, cut) = (Database::socket(), Arc::clone(&proxy.cut));
        let (refuses, then_refuses) = (Arc::clone(&proxy.refuses), Arc::clone(&proxy.then_refuses));
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if refuses.load(Ordering::SeqCst) {
                    continue;
                }
                let server = UnixStream::connect(&socket).await.unwrap();
                let link = Link {
                    cut: Arc::clone(&cut),
                    refuses: Arc::clone(&refuses),
                    then_refuses: Arc::clone(&then_refuses),
                };
                tokio::spawn(link.carry(client, server));
            }
        });
        proxy
    }

    fn url(&self, database: &Database) -> String {
        format!("postgres://countersign@127.0.0.1:{}/{}", self.port, database.name())
    }
}

struct Link {
    cut: Arc<AtomicU8>,
    refuses: Arc<AtomicBool>,
    then_refuses: Arc<AtomicBool>,
}

impl Link {
    async fn carry(self, client: TcpStream, server: UnixStream) {
        let (client_reads, client_writes) = client.into_split();
        let (server_reads, server_writes) = server.into_split();
        // Set when the next answer of the server is the last thing that happens.
        let last = Arc::new(AtomicBool::new(false));
        let answers = tokio::spawn(answers(server_reads, client_writes, Arc::clone(&last)));
        self.asks(client_reads, server_writes, &last).await;
        if last.load(Ordering::SeqCst) {
            let _ = answers.await;
        } else {
            answers.abort();
        }
    }

    async fn asks(&self, mut client: OwnedReadHalf, mut server: ServerWrites, last: &AtomicBool) {
        let mut bytes = vec![0; 65_536];
        while let Ok(read @ 1..) = client.read(&mut bytes).await {
            let is_commit = bytes[..read].windows(7).any(|window| window == b"commit\0");
            let cut = if is_commit { self.cut.swap(PASS, Ordering::SeqCst) } else { PASS };
            if cut != PASS && self.then_refuses.load(Ordering::SeqCst) {
                self.refuses.store(true, Ordering::SeqCst);
            }
            if cut == CUT_BEFORE {
                return;
            }
            last.store(cut == CUT_AFTER, Ordering::SeqCst);
            if server.write_all(&bytes[..read]).await.is_err() || cut == CUT_AFTER {
                // The other half ends this when the answer has come.
                server.forget();
                return;
            }
        }
    }
}

async fn answers(mut server: ServerReads, mut client: OwnedWriteHalf, last: Arc<AtomicBool>) {
    let mut bytes = vec![0; 65_536];
    while let Ok(read @ 1..) = server.read(&mut bytes).await {
        if last.load(Ordering::SeqCst) || client.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

async fn opened(database: &Database) -> (Proxy, Store) {
    let proxy = Proxy::start().await;
    let url = proxy.url(database);
    let store = tokio::task::spawn_blocking(move || Store::open_postgres(&url, &opening())).await.unwrap();
    let store = store.unwrap();
    let seed = write("seed").insert_account(&account(1)).insert_person(&person(1)).insert_member(
        account_id(1),
        user_id(1),
        crate::world::ADMINISTRATOR,
        at(0),
    );
    store.commit(seed).await.unwrap();
    (proxy, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_was_not_heard_of_is_looked_up() {
    let database = Database::new();
    let (proxy, store) = opened(&database).await;
    proxy.cut.store(CUT_AFTER, Ordering::SeqCst);
    let committed = store.commit(write("token.create").insert_token(&token(1))).await.unwrap();
    assert_eq!(committed.seq, Seq(2), "it happened, and is told as that");
    proxy.cut.store(CUT_BEFORE, Ordering::SeqCst);
    let refused = store.commit(write("token.create").insert_token(&token(2))).await;
    assert!(
        matches!(&refused, Err(Error::Unavailable(told)) if told.contains("nothing was written")),
        "{refused:?}"
    );
    // Housekeeping moves nothing that is signed; the server itself says what became of it.
    proxy.cut.store(CUT_AFTER, Ordering::SeqCst);
    assert_eq!(store.count_failed_sign_in(user_id(1), Some(at(1))).await.unwrap(), 1);
    proxy.cut.store(CUT_BEFORE, Ordering::SeqCst);
    assert!(store.count_failed_sign_in(user_id(1), Some(at(1))).await.is_err());
    assert_eq!(store.count_failed_sign_in(user_id(1), Some(at(1))).await.unwrap(), 2);
    let next = store.commit(write("token.create").insert_token(&token(2))).await.unwrap();
    assert_eq!(next.seq, Seq(3));
    assert_eq!(store.verify_audit(&mut |_, _| ()).await.unwrap(), AuditFinding::Whole { entries: 3 });
    store.snapshot().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_nobody_can_look_up_may_have_happened() {
    for (cut, head) in [(CUT_AFTER, Seq(2)), (CUT_BEFORE, Seq(1))] {
        let database = Database::new();
        let (proxy, store) = opened(&database).await;
        let mut heard = store.watch_head();
        heard.mark_unchanged();
        proxy.then_refuses.store(true, Ordering::SeqCst);
        proxy.cut.store(cut, Ordering::SeqCst);
        let doubtful = store.commit(write("token.create").insert_token(&token(1))).await;
        let is_said =
            matches!(&doubtful, Err(Error::Unavailable(told)) if told.contains("it may have happened"));
        assert!(is_said, "{doubtful:?}");
        assert!(store.commit(write("token.create").insert_token(&token(2))).await.is_err());
        proxy.refuses.store(false, Ordering::SeqCst);
        // With the server back the next write finds out first, and whoever follows hears of it.
        store.ping().await.unwrap();
        assert_eq!(*heard.borrow_and_update(), head);
        assert_eq!(store.snapshot().await.unwrap().head, head);
        let next = store.commit(write("token.create").insert_token(&token(2))).await.unwrap();
        assert_eq!(next.seq, Seq(head.0 + 1));
        assert_eq!(
            store.verify_audit(&mut |_, _| ()).await.unwrap(),
            AuditFinding::Whole { entries: head.0 + 1 }
        );
    }
}
