//! Space that is kept for denials: a file beside the database that holds nothing. When the disk is nearly full, writes
//! that give somebody something are refused first; when it is full, the file is given up, and what it held is used by
//! writes that only take away. So a token can still be disabled, and the entry that says so still be written, on a disk
//! on which nothing else can be done. It never touches the database itself.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, StatVfs, fallocate, statvfs};

use crate::limits::{RESERVE_BYTES, SPACE_FOR_DENIALS_BYTES, SPACE_FOR_GIVING_BYTES};

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Everybody's.
    ForAll,
    /// Only of writes that take away.
    ForDenials,
}

/// How it stands with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is there, whole.
    Kept,
    /// It was given up, or there was never space for it.
    Spent,
    /// This file system keeps no space for anybody.
    Impossible,
}

/// The file, and whose turn it is.
pub(super) struct Reserve {
    path: PathBuf,
    state: State,
    room: Room,
}

impl Reserve {
    /// Keeps space beside this database, if there is some.
    pub(super) fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".reserve");
        let path = PathBuf::from(path);
        let is_whole = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == RESERVE_BYTES);
        let state = if is_whole { State::Kept } else { State::Spent };
        let mut reserve = Self { path, state, room: Room::ForAll };
        reserve.look();
        reserve
    }

    /// Looks how much space there is, gives the file up or makes it again, and says whose turn it is. A disk that
    /// cannot be asked is taken for one with room: the write itself will tell.
    pub(super) fn look(&mut self) -> Room {
        let Some(free) = self.free() else { return Room::ForAll };
        match self.state {
            State::Kept if free < SPACE_FOR_DENIALS_BYTES => self.give_up(),
            State::Spent if free >= SPACE_FOR_GIVING_BYTES + RESERVE_BYTES => self.make(),
            State::Kept | State::Spent | State::Impossible => {}
        }
        let enough = free >= SPACE_FOR_GIVING_BYTES && self.state != State::Spent;
        let room = if enough { Room::ForAll } else { Room::ForDenials };
        if room != self.room {
            self.room = room;
            tell(room, free);
        }
        room
    }

    fn free(&self) -> Option<u64> {
        let StatVfs { f_bavail, f_frsize, .. } = statvfs(self.path.parent()?).ok()?;
        Some(f_bavail.saturating_mul(f_frsize))
    }

    fn give_up(&mut self) {
        match fs::remove_file(&self.path) {
            Ok(()) => self.state = State::Spent,
            Err(error) => tracing::error!(%error, "the space kept for denials cannot be given up"),
        }
    }

    fn make(&mut self) {
        let made = super::private(&self.path).and_then(|file| fill(&file));
        match made {
            Ok(()) => self.state = State::Kept,
            Err(error) => {
                tracing::warn!(%error, "no space can be kept for denials");
                let _ = fs::remove_file(&self.path);
                self.state = State::Impossible;
            }
        }
    }
}

fn tell(room: Room, free: u64) {
    match room {
        Room::ForAll => tracing::warn!(free, "the disk has room again: everything can be changed"),
        Room::ForDenials => tracing::error!(
            free,
            "the disk is nearly full: people can sign in, disable and delete, and nothing else; free some space"
        ),
    }
}

/// Blocks of the disk and not a hole: where the file system cannot promise them, there is no reserve.
fn fill(file: &File) -> io::Result<()> {
    fallocate(file, FallocateFlags::empty(), 0, RESERVE_BYTES)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_kept_where_there_is_some() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("countersign.db");
        let mut reserve = Reserve::beside(&database);
        assert_eq!((reserve.state, reserve.look()), (State::Kept, Room::ForAll));
        let kept = fs::metadata(directory.path().join("countersign.db.reserve")).unwrap();
        assert_eq!(kept.len(), RESERVE_BYTES);
        assert!(std::os::unix::fs::MetadataExt::blocks(&kept) * 512 >= RESERVE_BYTES, "it is no hole");
        reserve.give_up();
        assert_eq!(reserve.state, State::Spent);
        assert_eq!(
            (reserve.look(), reserve.state),
            (Room::ForAll, State::Kept),
            "made again as there is room"
        );
    }
}
