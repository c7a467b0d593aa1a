//! Keeps secrets of the process in the process: no core dump, no reading of its memory by others of the same user, and
//! panics that say where and not with what. It is best effort; a root attacker reads memory all the same.

use std::panic;

use countersign_server::limits::CONNECTIONS_MAX;
use rustix::{
    fs::Mode,
    process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask},
};

/// Hardens this process, and says in the log what the system did not allow.
pub fn harden() {
    // What this process makes is its owner's alone from the first moment, the socket for commands above all.
    umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(cause) = setrlimit(Resource::Core, none) {
        tracing::warn!(%cause, "core dumps could not be switched off");
    }
    raise_files();
    if let Err(cause) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%cause, "reading of this process's memory by its own user could not be switched off");
    }
}

/// Allows this process as many open files as its user may have: a listener out of descriptors turns everybody away.
fn raise_files() {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(cause) = setrlimit(Resource::Nofile, all) {
        tracing::warn!(%cause, "the number of open files could not be raised");
    }
    // Both listeners full, with as much again for what they lead to.
    let wanted = u64::try_from(4 * CONNECTIONS_MAX).unwrap_or(u64::MAX);
    if limit.maximum.is_some_and(|files| files < wanted) {
        tracing::warn!(
            files = limit.maximum,
            wanted,
            "this process may have too few open files; raise its limit (LimitNOFILE)"
        );
    }
}

/// Logs a panic by its place alone: its message may quote what was being worked on.
pub fn quiet_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a task panicked; this is a fault of Countersign, please report the place");
    }));
}
