//! The folder of stored files. Blocking: call it off the async threads.
//!
//! A file is stored in two steps around its row in the database, so that a crash at any moment leaves
//! neither a file without a row nor a row without a file: first all bytes go to a part file on disk
//! ([`Files::write_part`]), then the row is written, then the part file is renamed
//! ([`Files::publish`]). After a crash the few part files left tell what to finish or to undo.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use derive_more::{Display, Error};

use super::{name::MediaName, reading::PIECE, stored::Stored};

/// The `media_url` names no folder.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
#[display("media_url must be file:// and a folder, such as file://data/media, got `{url}`")]
pub struct BadMediaUrl {
    pub url: String,
}

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    folder: Arc<Path>,
}

impl Files {
    /// The folder of a `media_url`: `file://data/media` is relative to the working directory,
    /// `file:///srv/media` absolute. Touches no disk.
    ///
    /// # Errors
    /// [`BadMediaUrl`].
    pub fn at(media_url: &str) -> Result<Self, BadMediaUrl> {
        match media_url.strip_prefix("file://") {
            Some(folder) if !folder.is_empty() => Ok(Self {
                folder: Path::new(folder).into(),
            }),
            _ => Err(BadMediaUrl {
                url: media_url.to_owned(),
            }),
        }
    }

    /// Makes the folder if need be and returns the names of the part files that a crash left in it.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn unfinished(&self) -> io::Result<Vec<MediaName>> {
        fs::create_dir_all(&self.folder)?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let file_name = entry?.file_name();
            let name = file_name
                .to_str()
                .and_then(|name| name.strip_suffix(PART)?.strip_prefix('.'))
                .and_then(MediaName::parse);
            names.extend(name);
        }
        Ok(names)
    }

    /// Copies a file to a part file, and to the disk itself. Makes the folder if need be.
    ///
    /// # Errors
    /// The disk is full, or the folder cannot be written; nothing is left behind then.
    pub fn write_part(&self, name: &MediaName, from: &File) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.part_path(name);
        let mut file = File::create_new(&path)?;
        let written = copy(from, &mut file).and_then(|()| file.sync_all());
        if written.is_err() {
            // the first error is the one to report
            let _ = fs::remove_file(&path);
        }
        written
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
            file: Arc::new(file),
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
}

const PART: &str = ".part";

/// Copies from the start, whatever place the file is at.
fn copy(from: &File, to: &mut File) -> io::Result<()> {
    let (mut piece, mut at) = (vec![0; PIECE], 0);
    loop {
        match from.read_at(&mut piece, at)? {
            0 => return Ok(()),
            count => to.write_all(&piece[..count])?,
        }
        at += PIECE as u64;
    }
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
        let url = format!("file://{}/a/media", temp.path().display());
        let files = Files::at(&url).unwrap();
        assert_eq!(files.unfinished().unwrap(), []);
        (temp, files)
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_file_is_there_once_it_is_published() {
        let (_temp, files) = folder();
        let name = MediaName::fresh(Format::Png).unwrap();
        files.write_part(&name, &file(b"pixels")).unwrap();
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
        files.write_part(&name, &file(b"half")).unwrap();
        fs::write(files.folder.join(".notes.part"), b"").unwrap();
        assert_eq!(files.unfinished().unwrap(), std::slice::from_ref(&name));
        files.discard_part(&name).unwrap();
        assert_eq!(files.unfinished().unwrap(), []);
    }

    #[test]
    fn a_name_is_never_overwritten() {
        let (_temp, files) = folder();
        let name = MediaName::fresh(Format::Gif).unwrap();
        files.write_part(&name, &file(b"first")).unwrap();
        assert!(files.write_part(&name, &file(b"second")).is_err());
        files.publish(&name).unwrap();
        assert_eq!(files.open(&name).unwrap().bytes, 5);
    }

    #[test]
    fn other_urls_are_refused_with_an_example() {
        for url in ["", "data/media", "file://", "s3://bucket"] {
            let error = Files::at(url).unwrap_err().to_string();
            assert!(error.contains("file://data/media"), "{error}");
        }
    }
}
