//! Files that a build left, for outside of its folder. Whoever wrote them is not trusted: no link is followed, and there are limits.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use globset::{GlobBuilder, GlobSetBuilder};
use tar::{Builder, Header, HeaderMode};

use super::run::Trouble;

/// Files, and bytes of all of them.
const MAX_FILES: usize = 20_000;
const MAX_BYTES: u64 = 512 << 20;
/// Bytes of an archive of them, which is kept as an output.
const MAX_ARCHIVE: usize = 128 << 20;
const MAX_DEPTH: usize = 40;

/// A file, by its path below the folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    size: u64,
    executable: bool,
}

/// The files below a folder, in order. What is no plain file is passed over.
pub(crate) fn files(folder: &Path) -> Result<Vec<Found>, Trouble> {
    let mut found = Vec::new();
    walk(folder, Path::new(""), 0, &mut found)?;
    let bytes: u64 = found.iter().map(|file| file.size).sum();
    if bytes > MAX_BYTES {
        return Err(Trouble::Failed(format!("it has {bytes} bytes, and may have {MAX_BYTES}")));
    }
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, below: &Path, depth: usize, found: &mut Vec<Found>) -> Result<(), Trouble> {
    use std::os::unix::fs::PermissionsExt as _;
    if depth > MAX_DEPTH {
        return Err(Trouble::Failed(format!("its folders lie deeper than {MAX_DEPTH}")));
    }
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, below.join(entry.file_name()));
        if kind.is_dir() {
            walk(folder, &path, depth + 1, found)?;
        } else if kind.is_file() {
            let meta = entry.metadata()?;
            found.push(Found { path, size: meta.len(), executable: meta.permissions().mode() & 0o111 != 0 });
        }
        if found.len() > MAX_FILES {
            return Err(Trouble::Failed(format!("it has more than {MAX_FILES} files")));
        }
    }
    Ok(())
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

/// Packs files; the same files become the same bytes.
pub(crate) fn pack(folder: &Path, found: &[Found]) -> Result<Vec<u8>, Trouble> {
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    archive.mode(HeaderMode::Deterministic);
    archive.follow_symlinks(false);
    for file in found {
        let mut header = Header::new_gnu();
        header.set_size(file.size);
        header.set_mode(if file.executable { 0o755 } else { 0o644 });
        header.set_mtime(0);
        archive.append_data(&mut header, &file.path, read(folder, file)?)?;
        if archive.get_ref().get_ref().len() > MAX_ARCHIVE {
            return Err(Trouble::Failed(format!("what is kept of it has more than {MAX_ARCHIVE} bytes")));
        }
    }
    Ok(archive.into_inner()?.finish()?)
}

/// Not more than was seen of it, whatever it has become since.
fn read(folder: &Path, file: &Found) -> io::Result<io::Take<File>> {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    // O_NOFOLLOW: <https://man7.org/linux/man-pages/man2/open.2.html>; nobody runs in the folder any more, so that this is enough.
    const O_NOFOLLOW: i32 = 0o400_000;
    Ok(File::options().read(true).custom_flags(O_NOFOLLOW).open(folder.join(&file.path))?.take(file.size))
}

/// Copies files into a folder, which is made.
pub(crate) fn copy(folder: &Path, found: &[Found], to: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(to)?;
    for file in found {
        let path = to.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        io::copy(&mut read(folder, file)?, &mut File::create(&path)?)?;
        let mode = if file.executable { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// The text of a file of a build, if it lies in its folder and is no link.
pub(crate) fn text(folder: &Path, path: &str) -> Option<String> {
    let real = fs::canonicalize(folder.join(path)).ok()?;
    let is_inside = real.starts_with(fs::canonicalize(folder).ok()?);
    let meta = fs::metadata(&real).ok()?;
    (is_inside && meta.is_file() && meta.len() <= MAX_BYTES)
        .then(|| fs::read(real).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))?
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

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
        let all = files(&folder).unwrap();
        let paths =
            |found: &[Found]| -> Vec<String> { found.iter().map(|file| file.path.display().to_string()).collect() };
        assert_eq!(paths(&all), ["dist/a", "dist/sub/b"]);
        assert_eq!(paths(&matching(all.clone(), &["dist/*".to_owned()]).unwrap()), ["dist/a"]);
        assert_eq!(text(&folder, "dist/link"), None);
        assert_eq!(text(&folder, "dist/up/secret"), None);
        assert_eq!(text(&folder, "dist/a").as_deref(), Some("a"));
        copy(&folder, &all, &root.path().join("out")).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("out/dist/sub/b")).unwrap(), "b");
        assert!(!root.path().join("out/dist/link").exists());
        assert_eq!(pack(&folder, &all).unwrap(), pack(&folder, &all).unwrap());
    }
}
