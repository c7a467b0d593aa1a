//! T-28: HTTP/2 used against its server: rapid resets, MadeYouReset, endless headers, header bombs, floods of every frame
//! that asks nothing, and games with windows. Each ends the connection that does it, costs no more than it costs its
//! sender, and leaves nothing behind.

#![allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use super::{
    count,
    frames::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, GET_WHOAMI, GOAWAY, HEADERS, PING, POST_VERIFY, PREFACE,
        PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, kinds, stream,
    },
    process::Process,
};
use crate::installation::Installation;

/// Most memory an attack may leave behind, in KiB: what the allocator keeps of its largest moment.
const MEMORY_LEFT_KIB: u64 = 24 * 1024;
/// Frames of one connection.
const FRAMES: usize = 4_000;

fn attacks() -> Vec<(&'static str, Vec<u8>)> {
    let whole = END_STREAM | END_HEADERS;
    let each = |one: &dyn Fn(usize) -> Vec<u8>| (0..FRAMES).flat_map(one).collect::<Vec<u8>>();
    let reset = |number| frame(RST_STREAM, 0, stream(number), &8_u32.to_be_bytes());
    let many = |one: Vec<u8>| one.repeat(FRAMES);
    // An entry of the whole table, which then stands for 4 KiB in one byte.
    let mut bomb = b"\x82\x86\x84\x41\x01a\x40\x01b\x7f\xe1\x1e".to_vec();
    bomb.extend([b'x'; 4_000]);
    bomb.extend([0xbe; 12_000]);
    vec![
        (
            "rapid resets",
            each(&|number| [frame(HEADERS, whole, stream(number), GET_WHOAMI), reset(number)].concat()),
        ),
        (
            "resets of unfinished requests",
            each(&|number| {
                [frame(HEADERS, END_HEADERS, stream(number), POST_VERIFY), reset(number)].concat()
            }),
        ),
        (
            "resets that the server is made to send",
            each(&|number| {
                let opened = frame(HEADERS, END_HEADERS, stream(number), POST_VERIFY);
                [opened, frame(WINDOW_UPDATE, 0, stream(number), &[0; 4])].concat()
            }),
        ),
        (
            "a header without an end",
            [frame(HEADERS, END_STREAM, 1, GET_WHOAMI), many(frame(CONTINUATION, 0, 1, b"\x40\x01a\x01b"))]
                .concat(),
        ),
        (
            "an empty header without an end",
            [frame(HEADERS, END_STREAM, 1, GET_WHOAMI), many(frame(CONTINUATION, 0, 1, b""))].concat(),
        ),
        (
            "a bomb of headers",
            each(&|number| {
                if number < 64 { frame(HEADERS, whole, stream(number), &bomb) } else { Vec::new() }
            }),
        ),
        ("pings", many(frame(PING, 0, 0, &[7; 8]))),
        ("settings", many(frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]))),
        ("settings that change the windows of all", {
            let open: Vec<u8> = (0..100)
                .flat_map(|number| frame(HEADERS, END_HEADERS, stream(number), POST_VERIFY))
                .collect();
            [open, many(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]))].concat()
        }),
        ("windows", many(frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()))),
        ("priorities", many(frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1]))),
        ("empty data", [frame(HEADERS, END_HEADERS, 1, POST_VERIFY), many(frame(DATA, 0, 1, b""))].concat()),
        ("frames of no known kind", many(frame(0xf0, 0, 0, b"?"))),
    ]
}

/// Sends one attack on one connection, and answers the kinds of the frames that came back.
fn attack(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut reading = stream.try_clone().unwrap();
    let answer = thread::spawn(move || {
        let mut answer = Vec::new();
        // The end may be a reset; what came before it is here all the same.
        let _ = reading.read_to_end(&mut answer);
        answer
    });
    for part in [PREFACE, &frame(SETTINGS, 0, 0, &[]), bytes] {
        if stream.write_all(part).is_err() {
            break;
        }
    }
    kinds(&answer.join().unwrap())
}

#[test]
fn floods_of_frames_end_their_connection_and_leave_nothing() {
    let installation = Installation::empty();
    let server = installation.serve();
    let process = Process::of(&server);
    let attacks = attacks();
    // Once around, so that what is made once is made.
    for (_, bytes) in &attacks {
        attack(server.data_plane, bytes);
    }
    let (memory, files) = (process.memory_kib(), process.files());
    let share = Duration::from_millis(u64::try_from(count(60_000, 600)).unwrap());
    for (name, bytes) in &attacks {
        let (begun, used) = (Instant::now(), process.time_of("data-plane"));
        let (mut connections, mut told) = (0_u32, 0_u32);
        while begun.elapsed() < share {
            told += u32::from(attack(server.data_plane, bytes).contains(&GOAWAY));
            connections += 1;
        }
        let each = process.time_of("data-plane").saturating_sub(used) / connections;
        println!(
            "T-28: {name}: {connections} connections, {told} were told to go, {each:?} of the data plane each"
        );
        assert!(told > 0, "{name}: nobody was told to go");
        // A frame is some bytes of the attacker's; that many cost no more than some thousand requests would.
        assert!(each < Duration::from_millis(200), "{name}: {each:?} each");
    }
    let begun = Instant::now();
    while process.files() > files && begun.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(50)); // poll
    }
    let after = process.memory_kib();
    println!("T-28: {memory} KiB before, {after} KiB after; {files} files before, {} after", process.files());
    assert!(process.files() <= files, "{} files", process.files());
    assert!(after <= memory + MEMORY_LEFT_KIB, "{memory} KiB before, {after} KiB after");
}
