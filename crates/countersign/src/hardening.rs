//! Keeps secrets of the process in the process: no core dump, no reading of its memory by others of the same user, and
//! panics that say where and not with what. It is best effort; a root attacker reads memory all the same.

use std::panic;

use rustix::{
    fs::Mode,
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask},
};

/// Hardens this process, and says in the log what the system did not allow.
pub fn harden() {
    // What this process makes is its owner's alone from the first moment, the socket for commands above all.
    umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(cause) = setrlimit(Resource::Core, none) {
        tracing::warn!(%cause, "core dumps could not be switched off");
    }
    if let Err(cause) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%cause, "reading of this process's memory by its own user could not be switched off");
    }
}

/// Logs a panic by its place alone: its message may quote what was being worked on.
pub fn quiet_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a task panicked; this is a fault of Countersign, please report the place");
    }));
}
