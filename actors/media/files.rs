//! The folder of stored files. Blocking: call it off the async threads.
//!
//! A file is stored in two steps around its row in the database, so that a crash at any moment leaves
//! neither a file without a row nor a row without a file: first all bytes go to a part file on disk
//! ([`Files::write_part`]), then the row is written, then the part file is renamed
//! ([`Files::publish`]). After a crash the few part files left tell what to finish or to undo.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::{
    formats::Plan,
    name::MediaName,
    stored::{Source, Stored},
};

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    folder: Arc<Path>,
}

impl Files {
    /// That folder. Touches no disk.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        let folder = folder.into();
        Self { folder }
    }

    /// Makes the folder if need be and returns the names of the part files that a crash left in it. What a crash
    /// left of sharing bytes is removed.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn unfinished(&self) -> io::Result<Vec<MediaName>> {
        fs::create_dir_all(&self.folder)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let file_name = entry?.file_name();
            let named = |ending: &str| {
                let name = file_name.to_str()?.strip_prefix('.')?;
                MediaName::parse(name.strip_suffix(ending)?)
            };
            names.extend(named(PART));
            if let Some(name) = named(LINK) {
                // who is just sharing notices, and keeps bytes of its own
                gone(fs::remove_file(self.link_path(&name)))?;
            }
        }
        Ok(names)
    }

    /// Writes what is to be kept of a file to a part file, and to the disk itself. Makes the folder if need be.
    /// Returns the hash of what was written, in hex.
    ///
    /// # Errors
    /// The disk is full, or the folder cannot be written; nothing is left behind then.
    pub fn write_part(&self, name: &MediaName, plan: &Plan, from: &File) -> io::Result<String> {
        fs::create_dir_all(&self.folder)?;
        let path = self.part_path(name);
        let mut file = File::create_new(&path)?;
        let mut hash = Sha256::new();
        let written = plan.carry_out(from, |piece| {
            hash.update(piece);
            file.write_all(piece)
        });
        if let Err(error) = written.and_then(|()| file.sync_all()) {
            // the first error is the one to report
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok(hex(&hash.finalize()))
    }

    /// Lets a part file share the bytes of a stored file that is the same, where that is still there and the
    /// disk can. Says whether it does.
    #[must_use]
    pub fn share(&self, name: &MediaName, same: &MediaName) -> bool {
        let (part, link) = (self.part_path(name), self.link_path(name));
        let linked = fs::hard_link(self.path(same), &link);
        let shared = linked.and_then(|()| fs::rename(&link, &part));
        // renaming one of two links to the same file does nothing, and then this one is left
        let _ = fs::remove_file(&link);
        shared.is_ok()
    }

    /// Leaves a part file that says: whether this is still needed is to be found out.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn mark(&self, name: &MediaName) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        File::create(self.part_path(name)).map(drop)
    }

    /// Whether a file of that name is there, stored or on its way.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn has(&self, name: &MediaName) -> io::Result<bool> {
        Ok(self.path(name).try_exists()? || self.part_path(name).try_exists()?)
    }

    /// A part file, to read.
    ///
    /// # Errors
    /// There is no such part file.
    pub fn open_part(&self, name: &MediaName) -> io::Result<File> {
        File::open(self.part_path(name))
    }

    /// Turns a part file into the stored file.
    ///
    /// # Errors
    /// There is no such part file, or the folder cannot be written.
    pub fn publish(&self, name: &MediaName) -> io::Result<()> {
        fs::rename(self.part_path(name), self.path(name))
    }

    /// Removes a part file; one that is gone already is no error.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn discard_part(&self, name: &MediaName) -> io::Result<()> {
        gone(fs::remove_file(self.part_path(name)))
    }

    /// Removes a stored file; one that is gone already is no error.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn remove(&self, name: &MediaName) -> io::Result<()> {
        gone(fs::remove_file(self.path(name)))
    }

    /// A stored file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or the folder cannot be read.
    pub fn open(&self, name: &MediaName) -> io::Result<Stored> {
        let file = File::open(self.path(name))?;
        Ok(Stored {
            name: name.clone(),
            mime: name.format().mime(),
            bytes: file.metadata()?.len(),
            source: Source::Folder(Arc::new(file)),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> Arc<Path> {
        self.folder.clone()
    }

    fn path(&self, name: &MediaName) -> PathBuf {
        self.folder.join(name.as_str())
    }

    /// Part files begin with a dot, which no [`MediaName`] does: they are never served.
    fn part_path(&self, name: &MediaName) -> PathBuf {
        self.folder.join(format!(".{name}{PART}"))
    }

    fn link_path(&self, name: &MediaName) -> PathBuf {
        self.folder.join(format!(".{name}{LINK}"))
    }
}

const PART: &str = ".part";
const LINK: &str = ".link";

fn hex(hash: &[u8]) -> String {
    use std::fmt::Write as _;
    hash.iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // writing to a String cannot fail
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::format::Format, *};

    fn folder() -> (tempfile::TempDir, Files) {
        let temp = tempfile::tempdir().unwrap();
        let files = Files::at(&temp.path().join("a/media"));
        assert_eq!(files.unfinished().unwrap(), []);
        (temp, files)
    }

    fn write(files: &Files, name: &MediaName, bytes: &[u8]) -> io::Result<String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let mut plan = Plan::default();
        plan.copy(0..bytes.len() as u64);
        files.write_part(name, &plan, &file)
    }

    #[test]
    fn a_file_is_there_once_it_is_published() {
        let (_temp, files) = folder();
        let name = MediaName::fresh(Format::Png).unwrap();
        write(&files, &name, b"pixels").unwrap();
        assert_eq!(
            files.open(&name).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        files.publish(&name).unwrap();
        let stored = files.open(&name).unwrap();
        assert_eq!((stored.mime, stored.bytes), ("image/png", 6));
        assert_eq!(fs::read(files.path(&name)).unwrap(), b"pixels");
        assert_eq!(files.unfinished().unwrap(), []);

        files.remove(&name).unwrap();
        files.remove(&name).unwrap();
        assert!(files.open(&name).is_err());
    }

    #[test]
    fn part_files_are_found_again_and_nothing_else_is() {
        let (_temp, files) = folder();
        let name = MediaName::fresh(Format::Webp).unwrap();
        write(&files, &name, b"half").unwrap();
        fs::write(files.folder.join(".notes.part"), b"").unwrap();
        let link = files.folder.join(format!(".{name}{LINK}"));
        fs::write(&link, b"half").unwrap();
        assert_eq!(files.unfinished().unwrap(), std::slice::from_ref(&name));
        assert!(!link.exists());
        files.discard_part(&name).unwrap();
        assert_eq!(files.unfinished().unwrap(), []);
    }

    #[test]
    fn a_name_is_never_overwritten() {
        let (_temp, files) = folder();
        let name = MediaName::fresh(Format::Gif).unwrap();
        write(&files, &name, b"first").unwrap();
        assert!(write(&files, &name, b"second").is_err());
        files.publish(&name).unwrap();
        assert_eq!(files.open(&name).unwrap().bytes, 5);
    }

    #[test]
    fn the_same_bytes_are_shared_until_the_last_name_goes() {
        use std::os::unix::fs::MetadataExt as _;
        let (_temp, files) = folder();
        let [one, other] = [0; 2].map(|_| MediaName::fresh(Format::Png).unwrap());
        let hash = write(&files, &one, b"pixels").unwrap();
        assert!(hash.starts_with("6ec9c2b0"), "{hash}");
        files.publish(&one).unwrap();
        assert_eq!(write(&files, &other, b"pixels").unwrap(), hash);
        assert!(files.share(&other, &one));
        files.publish(&other).unwrap();
        assert_eq!(fs::metadata(files.path(&one)).unwrap().nlink(), 2);
        files.remove(&one).unwrap();
        assert_eq!(fs::read(files.path(&other)).unwrap(), b"pixels");
        // and where the other is gone, the part file stays what it was
        write(&files, &one, b"others").unwrap();
        assert!(!files.share(&one, &MediaName::fresh(Format::Png).unwrap()));
        files.publish(&one).unwrap();
        assert_eq!(fs::read(files.path(&one)).unwrap(), b"others");
        assert_eq!(fs::read_dir(&files.folder).unwrap().count(), 2);
    }
}
