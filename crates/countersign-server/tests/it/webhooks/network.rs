//! T-16 in a network of its own: two network namespaces, joined by a wire. In one stands a sender with the machine's own
//! way of looking up names, asking a real name server that answers as the list of URLs says; the other is the rest of
//! the world, in which every address answers, private ones and those of the metadata services too. Whoever connects is
//! counted on both sides. Without a guard every one of those addresses is reached, so the count of nobody means something.
//!
//! The test starts itself again in each of the namespaces, with its part in the environment.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead as _, BufReader, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use countersign_server::{
    outcome::SendOutcome,
    webhooks::{Policy, Sender},
};

use super::{
    guard::{Mark, Row, corpus, send},
    listener::Listener,
};

const NAME: &str = "webhooks::network::the_rest_of_the_world_hears_from_nobody_it_should_not";
const PART: &str = "COUNTERSIGN_TEST_PART_OF_NETWORK";
const TOLD: &str = "told: ";
/// What webhooks lead to, and where it is looked whether an address is there at all.
const PORT: u16 = 8443;
const OPEN_PORT: u16 = 9443;
const PUBLIC: &str = "hooks.public.example";

/// Every address is here, and the wire's end.
const WORLD: &str = "
ip link set lo up
ip route add local 0.0.0.0/0 dev lo table main
ip -6 route add local ::/0 dev lo table main
exec \"$@\"";

/// Makes the wire, begins a namespace with names of its own, waits until its end of the wire is there, and goes on in it.
const ASKER: &str = "
ip link add world type veth peer name asker
ip address add 203.0.113.1/30 dev world
ip -6 address add 2001:db8:7::1/64 dev world nodad
ip link set world up
directory=$(mktemp -d)
echo 'nameserver 127.0.0.1' >$directory/resolv.conf
echo 'hosts: files dns' >$directory/nsswitch.conf
printf '127.0.0.1 localhost\\n::1 localhost\\n' >$directory/hosts
unshare --net --mount sh -c '
    directory=$1; shift
    for file in resolv.conf nsswitch.conf hosts; do mount --bind $directory/$file /etc/$file; done
    # poll
    until ip link show asker >/dev/null 2>&1; do sleep 0.05; done
    ip link set lo up
    ip address add 203.0.113.2/30 dev asker
    ip -6 address add 2001:db8:7::2/64 dev asker nodad
    ip link set asker up
    ip route add default via 203.0.113.1
    ip -6 route add default via 2001:db8:7::1
    exec \"$@\"' sh $directory \"$@\" &
# poll
while ip link show asker >/dev/null 2>&1; do
    kill -0 $! || exit 1
    # Before the other one has a network of its own this moves nothing, and says that all is well.
    ip link set asker netns $! 2>/dev/null || true
    sleep 0.05
done
wait $!
status=$?
rm -r $directory
exit $status";

/// The rest of the world, which lives in a process of its own.
struct World {
    child: Child,
    asks: ChildStdin,
    told: BufReader<std::process::ChildStdout>,
}

impl World {
    fn begin() -> Self {
        let mut unshare = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            unshare.arg("--map-root-user");
        }
        unshare.args(["--net", "sh", "-ec", WORLD, "sh"]);
        let mut child =
            itself(&mut unshare, "world").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (asks, told) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut world = Self { child, asks, told };
        assert_eq!(world.line(), "there", "a network namespace can be made");
        world
    }

    /// How many connections there were to what webhooks may lead to.
    fn connections(&mut self) -> usize {
        self.asks.write_all(b"how many?\n").unwrap();
        self.line().parse().unwrap()
    }

    fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.told.read_line(&mut line).unwrap() > 0, "the rest of the world has ended");
            if let Some((_, told)) = line.split_once(TOLD) {
                return told.trim().to_owned();
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This test once more, as a part, behind another command.
fn itself<'c>(command: &'c mut Command, part: &str) -> &'c mut Command {
    command
        .arg(env::current_exe().unwrap())
        .args([NAME, "--exact", "--nocapture", "--test-threads=1"])
        .env(PART, part)
}

#[test]
fn the_rest_of_the_world_hears_from_nobody_it_should_not() {
    match env::var(PART).as_deref() {
        Ok("world") => world(),
        Ok("asker") => asker(),
        _ => both(),
    }
}

fn both() {
    let mut world = World::begin();
    let mut enter = Command::new("nsenter");
    enter.args(["--target", &world.child.id().to_string(), "--net"]);
    if !rustix::process::geteuid().is_root() {
        enter.args(["--user", "--preserve-credentials"]);
    }
    enter.args(["--", "sh", "-ec", ASKER, "sh"]);
    let output = itself(&mut enter, "asker").stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.connections(), 1, "only the one webhook that leads to a public address arrived");
    for line in said.lines().filter_map(|line| line.split_once(TOLD)) {
        println!("T-16: {}", line.1);
    }
}

fn world() {
    let (webhooks, _open) = (Listener::on(PORT, 200), Listener::on(OPEN_PORT, 200));
    println!("{TOLD}there");
    for line in std::io::stdin().lines() {
        assert_eq!(line.unwrap(), "how many?");
        println!("{TOLD}{}", webhooks.connections());
    }
}

fn asker() {
    let own = Listener::on(PORT, 200);
    let _open = Listener::on(OPEN_PORT, 200);
    let names = Names::serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut seen = BTreeSet::new();
    let mut rows = 0;
    for row in corpus(PORT) {
        seen.extend(row.answers.iter().flatten().copied().filter(|address| can_be_there(*address)));
        rows += 1;
        names.answer(&row);
        runtime.block_on(refused(&row, &names));
    }
    assert_eq!(own.connections(), 0, "connections to this machine");
    names.answer(&Row {
        mark: Mark::Flips,
        url: String::new(),
        answers: vec![vec![[93, 184, 216, 34].into()]],
    });
    let outcome = runtime.block_on(send(&sender(), &format!("http://{PUBLIC}:{PORT}/")));
    assert_eq!(outcome, SendOutcome::Sent { code: Some(200) }, "a public address is reached over the wire");
    let reached = seen.iter().filter(|address| is_there(**address)).count();
    assert_eq!(reached, seen.len(), "without a guard each of them is there: {seen:?}");
    assert!(reached >= 30, "only {seen:?}");
    println!(
        "{TOLD}{rows} URLs, {} questions to the name server, no connection; {reached} addresses that are there",
        names.asked()
    );
}

/// Whether anything can stand behind an address: not behind one of many, of a link alone, or of no network.
fn can_be_there(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_multicast() && v4.octets()[0] != 0 && v4.octets()[0] < 240,
        IpAddr::V6(v6) => !v6.is_multicast() && !v6.is_unicast_link_local(),
    }
}

fn sender() -> Sender {
    Sender::new(Policy { plain_http: true, ports: vec![PORT], ..Policy::default() })
}

async fn refused(row: &Row, names: &Names) {
    let (sender, before) = (sender(), names.asked());
    let entered = sender.guard().check(&row.url).await;
    assert_eq!(entered.is_ok(), row.mark == Mark::Flips, "{}: {entered:?}", row.url);
    let outcome = send(&sender, &row.url).await;
    let refused = matches!(outcome, SendOutcome::Refused { code: None, .. });
    // There is no such name, or it is none that a name server could be asked for.
    let nameless = row.answers.is_empty() || names.asked() == before;
    let unknown = nameless && matches!(outcome, SendOutcome::Later { code: None, .. });
    assert!(refused || unknown, "{}: {outcome:?}", row.url);
}

fn is_there(address: IpAddr) -> bool {
    TcpStream::connect_timeout(&SocketAddr::new(address, OPEN_PORT), Duration::from_secs(10)).is_ok()
}

/// A name server, asked by whatever looks names up in this namespace: it answers every name as the row of the moment says.
struct Names(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    answers: Vec<Vec<IpAddr>>,
    /// How often the row was asked for addresses of the fourth and of the sixth version, and how often all rows were.
    turns: [usize; 2],
    asked: usize,
}

impl Names {
    fn serve() -> Self {
        let told = Arc::<Mutex<Told>>::default();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).unwrap();
        let shared = Arc::clone(&told);
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                if let Some(reply) = reply(&question[..length], &mut shared.lock().unwrap()) {
                    let _ = socket.send_to(&reply, from);
                }
            }
        });
        Self(told)
    }

    /// Answers like this row from now on.
    fn answer(&self, row: &Row) {
        let mut told = self.0.lock().unwrap();
        (told.answers, told.turns) = (row.answers.clone(), [0, 0]);
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }
}

/// The answer to one question (RFC 1035): the addresses of the version that is asked for, or that there is no such name.
fn reply(question: &[u8], told: &mut Told) -> Option<Vec<u8>> {
    let mut end = 12;
    while *question.get(end)? != 0 {
        end += usize::from(question[end]) + 1;
    }
    end += 5;
    let version = match question.get(end - 4..end - 2)? {
        [0, 1] => 0,
        [0, 28] => 1,
        _ => return None,
    };
    told.asked += 1;
    let turn = told.turns[version];
    told.turns[version] += 1;
    let answers = told.answers.get(turn).or(told.answers.last());
    let of_version: Vec<Vec<u8>> = answers
        .into_iter()
        .flatten()
        .filter_map(|address| match (address, version) {
            (IpAddr::V4(v4), 0) => Some(v4.octets().to_vec()),
            (IpAddr::V6(v6), 1) => Some(v6.octets().to_vec()),
            _ => None,
        })
        .collect();
    let code = if answers.is_none() { 3 } else { 0 };
    let mut reply = question[..2].to_vec();
    reply.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(of_version.len()).unwrap(), 0, 0, 0, 0]);
    reply.extend(&question[12..end]);
    for bytes in of_version {
        // The name of the question; its type; of the internet; not to be kept.
        reply.extend([0xc0, 12, 0, if version == 0 { 1 } else { 28 }, 0, 1, 0, 0, 0, 0, 0]);
        reply.push(u8::try_from(bytes.len()).unwrap());
        reply.extend(bytes);
    }
    Some(reply)
}
