//! Files that a build left, for outside of its folder. Whoever wrote them is not trusted, and may still be at it: a preview runs in the
//! same folder. So nothing is opened but from the folder down, by `openat2` (Linux 5.6), which follows no link out of it:
//! <https://man7.org/linux/man-pages/man2/openat2.2.html>. And there are limits.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use globset::{GlobBuilder, GlobSetBuilder};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat2, statat};
use tar::{Builder, Header, HeaderMode};

use super::run::Trouble;

/// Files, and bytes of all of them.
const MAX_FILES: usize = 20_000;
const MAX_BYTES: u64 = 512 << 20;
/// Bytes of an archive of them, which is kept as an output.
const MAX_ARCHIVE: usize = 128 << 20;
/// Bytes of a file that is looked into.
const MAX_TEXT: u64 = 16 << 20;
const MAX_DEPTH: usize = 40;

/// A file, by its path below the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    size: u64,
    executable: bool,
}

/// A folder that is read from here on down.
pub(crate) struct Tree(OwnedFd);

impl Tree {
    /// A folder of Titan's own; whoever builds in it cannot replace it.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Tree(rustix::fs::open(folder, OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?))
    }

    /// A folder within it; `.` is itself.
    pub(crate) fn below(&self, path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Tree(self.look(path.as_ref(), OFlags::DIRECTORY)?))
    }

    fn look(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        // Without O_NONBLOCK a pipe that took the place of a file would be waited for.
        let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        Ok(openat2(&self.0, path, flags, Mode::empty(), within)?)
    }

    /// The files below it, in order. What is no plain file is passed over.
    pub(crate) fn files(&self) -> Result<Vec<Found>, Trouble> {
        let mut found = Vec::new();
        self.walk(Path::new("."), 0, &mut found)?;
        let bytes: u64 = found.iter().map(|file| file.size).sum();
        if bytes > MAX_BYTES {
            return Err(Trouble::Failed(format!("it has {bytes} bytes, and may have {MAX_BYTES}")));
        }
        found.sort();
        Ok(found)
    }

    fn walk(&self, below: &Path, depth: usize, found: &mut Vec<Found>) -> Result<(), Trouble> {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        if depth > MAX_DEPTH {
            return Err(Trouble::Failed(format!("its folders lie deeper than {MAX_DEPTH}")));
        }
        let folder = self.look(below, OFlags::DIRECTORY | OFlags::NOFOLLOW)?;
        for entry in Dir::read_from(&folder).map_err(io::Error::from)? {
            let entry = entry.map_err(io::Error::from)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let stat = match statat(&folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // Gone since.
                Err(rustix::io::Errno::NOENT) => continue,
                Err(error) => return Err(io::Error::from(error).into()),
            };
            let path = if below == Path::new(".") { PathBuf::from(name) } else { below.join(name) };
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => self.walk(&path, depth + 1, found)?,
                FileType::RegularFile => found.push(Found {
                    path,
                    size: u64::try_from(stat.st_size).unwrap_or(0),
                    executable: stat.st_mode & 0o111 != 0,
                }),
                _ => {}
            }
            if found.len() > MAX_FILES {
                return Err(Trouble::Failed(format!("it has more than {MAX_FILES} files")));
            }
        }
        Ok(())
    }

    /// Packs files; the same files become the same bytes.
    pub(crate) fn pack(&self, found: &[Found]) -> Result<Vec<u8>, Trouble> {
        let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        archive.mode(HeaderMode::Deterministic);
        archive.follow_symlinks(false);
        for file in found {
            let mut header = Header::new_gnu();
            header.set_size(file.size);
            header.set_mode(if file.executable { 0o755 } else { 0o644 });
            header.set_mtime(0);
            archive.append_data(&mut header, &file.path, self.read(file)?)?;
            if archive.get_ref().get_ref().len() > MAX_ARCHIVE {
                return Err(Trouble::Failed(format!("what is kept of it has more than {MAX_ARCHIVE} bytes")));
            }
        }
        Ok(archive.into_inner()?.finish()?)
    }

    /// Copies files into a folder, which is made.
    pub(crate) fn copy(&self, found: &[Found], to: &Path) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        fs::create_dir_all(to)?;
        for file in found {
            let path = to.join(&file.path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            io::copy(&mut self.read(file)?, &mut File::create(&path)?)?;
            let mode = if file.executable { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }

    /// The text of a file, if it lies in the folder.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let file = plain(self.look(Path::new(path), OFlags::empty()).ok()?).ok()?;
        let mut bytes = Vec::new();
        file.take(MAX_TEXT).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn read(&self, file: &Found) -> io::Result<Exactly> {
        let open = plain(self.look(&file.path, OFlags::NOFOLLOW)?)?;
        Ok(Exactly { file: open, left: file.size })
    }
}

/// Nothing that waits, and no device.
fn plain(file: OwnedFd) -> io::Result<File> {
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(File::from(file)),
        _ => Err(io::Error::other("what was a file is something else by now")),
    }
}

/// As much as was seen of a file: what was added since is left out, and when it has become shorter there is nothing to keep.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let Some(room) = buffer.get_mut(..most).filter(|room| !room.is_empty()) else { return Ok(0) };
        let read = self.file.read(room)?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a file became shorter while it was read"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Those that one of the patterns names; `*` stays within a folder.
pub(crate) fn matching(found: Vec<Found>, patterns: &[String]) -> Result<Vec<Found>, Trouble> {
    let mut globs = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        globs.add(glob.map_err(|error| Trouble::Failed(format!("{pattern:?}: {error}")))?);
    }
    let globs = globs.build().map_err(|error| Trouble::Failed(error.to_string()))?;
    Ok(found.into_iter().filter(|file| globs.is_match(&file.path)).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn paths(found: &[Found]) -> Vec<String> {
        found.iter().map(|file| file.path.display().to_string()).collect()
    }

    #[test]
    fn links_lead_nowhere() {
        let root = tempfile::tempdir().unwrap();
        let (folder, outside) = (root.path().join("folder"), root.path().join("secret"));
        fs::create_dir_all(folder.join("dist/sub")).unwrap();
        fs::write(&outside, "secret").unwrap();
        fs::write(folder.join("dist/a"), "a").unwrap();
        fs::write(folder.join("dist/sub/b"), "b").unwrap();
        symlink(&outside, folder.join("dist/link")).unwrap();
        symlink(root.path(), folder.join("dist/up")).unwrap();
        symlink(root.path(), folder.join("out")).unwrap();
        symlink("dist/sub", folder.join("within")).unwrap();
        let tree = Tree::open(&folder).unwrap();
        let all = tree.files().unwrap();
        assert_eq!(paths(&all), ["dist/a", "dist/sub/b"]);
        assert_eq!(paths(&matching(all.clone(), &["dist/*".to_owned()]).unwrap()), ["dist/a"]);
        for path in ["dist/link", "dist/up/secret", "out/secret", "../secret", "/etc/hostname", "dist"] {
            assert_eq!(tree.text(path), None, "{path}");
        }
        assert_eq!(tree.text("dist/a").as_deref(), Some("a"));
        for path in ["out", "dist/up", "..", "/etc", "missing"] {
            assert!(tree.below(path).is_err(), "{path}");
        }
        assert_eq!(paths(&tree.below("within").unwrap().files().unwrap()), ["b"]);
        tree.copy(&all, &root.path().join("copy")).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("copy/dist/sub/b")).unwrap(), "b");
        assert!(!root.path().join("copy/dist/link").exists());
        assert_eq!(tree.pack(&all).unwrap(), tree.pack(&all).unwrap());
    }

    /// Between the look at it and its reading, whoever runs in the folder may put something else in its place.
    #[test]
    fn what_is_replaced_meanwhile_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("folder");
        fs::create_dir_all(folder.join("dist")).unwrap();
        fs::create_dir_all(root.path().join("keys")).unwrap();
        fs::write(root.path().join("keys/a"), "secret").unwrap();
        fs::write(folder.join("dist/a"), "longer").unwrap();
        let tree = Tree::open(&folder).unwrap();
        let all = tree.files().unwrap();
        fs::write(folder.join("dist/a"), "short").unwrap();
        assert!(tree.pack(&all).is_err(), "it has become shorter");
        fs::remove_dir_all(folder.join("dist")).unwrap();
        symlink(root.path().join("keys"), folder.join("dist")).unwrap();
        assert!(tree.pack(&all).is_err());
        assert!(tree.copy(&all, &root.path().join("copy")).is_err());
        assert!(!root.path().join("copy/dist/a").exists());
    }
}
