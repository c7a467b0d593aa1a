//! What the kernel says of a running server: its files, its memory, and the processor time of its threads.

use std::{fs, time::Duration};

use crate::installation::Server;

/// A server's process.
pub struct Process(u32);

impl Process {
    pub fn of(server: &Server) -> Self {
        Self(server.id())
    }

    /// Open file descriptors; none where only root may see them, because the server hides its memory from its own user.
    pub fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.0)).map_or(0, Iterator::count)
    }

    /// Resident memory, in KiB.
    pub fn memory_kib(&self) -> u64 {
        self.status_kib("VmRSS:")
    }

    /// The same without the pages of files: its program is large in tests, and read in as it is needed.
    pub fn own_memory_kib(&self) -> u64 {
        self.status_kib("RssAnon:")
    }

    fn status_kib(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Processor time of the threads whose names begin so, since they began.
    pub fn time_of(&self, threads: &str) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0)).unwrap();
        let named = tasks.filter_map(|task| {
            let path = task.unwrap().path();
            let name = fs::read_to_string(path.join("comm")).ok()?;
            name.starts_with(threads).then_some(path)
        });
        let nanos = named.filter_map(|path| {
            let times = fs::read_to_string(path.join("schedstat")).ok()?;
            times.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanos.sum())
    }
}
