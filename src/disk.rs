//! The disks that data lie on.

use std::{
    io,
    path::{Path, PathBuf},
};

use troupe_actors::storage::config::StorageConfig;

/// Bytes of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// That this user may still write.
    pub free: u64,
    pub total: u64,
}

/// The folders that grow, each once.
#[must_use]
pub fn data_folders(storage: &StorageConfig, spools: [&str; 2]) -> Vec<PathBuf> {
    let database = storage
        .database_url
        .strip_prefix("sqlite://")
        .and_then(|file| Path::new(file).parent().map(Path::to_owned));
    let media = storage.media_url.strip_prefix("file://").map(PathBuf::from);
    let mut folders: Vec<PathBuf> = [database, media].into_iter().flatten().collect();
    folders.extend(spools.map(PathBuf::from));
    folders.sort();
    // what lies inside another folder is on its disk in all but odd set-ups
    folders.dedup_by(|inner, outer| inner.starts_with(outer));
    folders
}

/// The space where `folder` is, or will be. Asks the disk: not for the threads of handlers.
///
/// # Errors
/// The system's.
pub fn space(folder: &Path) -> io::Result<Space> {
    let existing = folder
        .ancestors()
        .find(|path| path.exists())
        .filter(|path| !path.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let stat = rustix::fs::statvfs(existing)?;
    Ok(Space {
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
        total: stat.f_blocks.saturating_mul(stat.f_frsize),
    })
}

/// The space of the folder that has the least left; none where no disk answers.
#[must_use]
pub fn scarcest(folders: &[PathBuf]) -> Option<Space> {
    let spaces = folders.iter().filter_map(|folder| space(folder).ok());
    spaces.min_by_key(|space| space.free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_are_not_there_yet_have_the_space_of_their_parent() {
        let folder = tempfile::tempdir().unwrap();
        let space = space(&folder.path().join("a/b")).unwrap();
        assert!(space.free > 0 && space.total >= space.free);
        assert!(scarcest(&["not/there/yet".into()]).is_some());
        assert_eq!(scarcest(&[]), None);
        let folders_with = |spools| data_folders(&StorageConfig::default(), spools);
        let folders = folders_with(["data/spool", "data/media-spool"]);
        assert_eq!(folders, [PathBuf::from("data")]);
        let elsewhere = folders_with(["/var/spool/troupe", "/var/media-spool"]);
        assert_eq!(elsewhere.len(), 3);
    }
}
