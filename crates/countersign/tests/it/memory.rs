//! T-18, secrets in memory: a crash of the server leaves no core file although whoever started it allows them, and what
//! the system shows of the process belongs to root alone, so that another program of the same user reads none of its
//! memory. An unhardened process beside it, started the same way, shows that the same look would notice.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::ExitStatusExt as _,
    },
    path::Path,
    process::{Command, Stdio},
};

use crate::installation::Installation;

/// Somebody who is not root.
const NOBODY: u32 = 65_534;
const ABORTED: i32 = 6;

/// Starts what follows with core files as large as they may be.
fn with_core_files() -> [String; 4] {
    ["sh", "-c", "ulimit -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh"].map(str::to_owned)
}

/// The owner of what the system shows of a process: root where its memory is closed to its own user.
fn owner(process: u32) -> u32 {
    fs::metadata(format!("/proc/{process}/environ")).unwrap().uid()
}

#[test]
fn a_crash_leaves_no_core_file() {
    let mut installation = Installation::empty();
    installation.run_inside(&with_core_files());
    let mut server = installation.serve();
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{line}");
    server.signal("ABRT");
    let status = server.wait();
    assert_eq!(status.signal(), Some(ABORTED));
    assert!(!status.core_dumped(), "its memory was written to a file");
    let left: Vec<_> = fs::read_dir(installation.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("core"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // The same crash of something unhardened, where this machine writes core files at all.
    let [shell, flag, script, name] = with_core_files();
    let place = tempfile::tempdir().unwrap();
    let bare = Command::new(shell)
        .args([&flag, &script, &name, "sh", "-c", "kill -ABRT $$"])
        .current_dir(place.path())
        .status()
        .unwrap();
    assert_eq!(bare.signal(), Some(ABORTED));
    println!("T-18: no core file; of an unhardened process there is one: {}", bare.core_dumped());
}

#[test]
fn its_memory_is_closed_to_its_own_user() {
    let mut installation = Installation::empty();
    let mut beside = Command::new("sleep");
    if rustix::process::geteuid().is_root() {
        // Of a process of root everything belongs to root anyway, so it runs as somebody else, from a place of theirs.
        let program = installation.path("countersign");
        fs::copy(env!("CARGO_BIN_EXE_countersign"), &program).unwrap();
        chown(installation.path("."), Some(NOBODY), Some(NOBODY)).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        installation.run_program(program);
        let as_nobody = |words: &[&str]| -> Vec<String> {
            let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()];
            ["setpriv".to_owned()]
                .into_iter()
                .chain(ids)
                .chain(words.iter().map(|&word| word.to_owned()))
                .collect()
        };
        installation.run_inside(&as_nobody(&["--"]));
        let words = as_nobody(&["sleep"]);
        beside = Command::new(&words[0]);
        beside.args(&words[1..]);
    }
    let server = installation.serve();
    let mut beside = beside.arg("600").stdin(Stdio::null()).spawn().unwrap();
    // It is another program once it has been replaced by the one that sleeps.
    let name = format!("/proc/{}/comm", beside.id());
    while fs::read_to_string(&name).unwrap().trim() != "sleep" {
        std::thread::yield_now();
    }
    let (ours, others) = (owner(server.id()), owner(beside.id()));
    beside.kill().unwrap();
    beside.wait().unwrap();
    assert_ne!(others, 0, "an unhardened process is its user's");
    assert_eq!(ours, 0, "the memory of the server is open to its user");
    assert!(Path::new(&format!("/proc/{}/mem", server.id())).exists());
}
