//! Objects as files in a directory, which several machines may share. A file appears whole or not at all: it is written under
//! another name, brought to the disk and renamed.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::outside::{Object, Outside};
use crate::{Error, Result};

/// What a file that is not finished ends with. One that is found later belongs to somebody who was killed.
const UNFINISHED: &str = ".part";

#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(super) fn new(root: PathBuf) -> Self {
        Directory { root }
    }

    /// Does something with the file of a key, off the async threads.
    async fn on<T: Send + 'static>(
        &self,
        key: &str,
        doing: &'static str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = self.root.join(key);
        let failed = move |path: &Path, error: &io::Error| {
            Error::Storage(format!("{} cannot be {doing}: {error}", path.display()))
        };
        tokio::task::spawn_blocking(move || work(&path).map_err(|error| failed(&path, &error)))
            .await
            .map_err(|error| Error::Internal(format!("the work with a file ended early: {error}")))?
    }
}

#[async_trait]
impl Outside for Directory {
    fn scheme(&self) -> &'static str {
        "file"
    }

    async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        self.on(key, "written", move |path| write(path, &bytes)).await
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        self.on(key, "read", move |path| read(path, &range)).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        self.on(key, "removed", |path| match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    fn list(&self) -> BoxStream<'_, Result<Object>> {
        let root = self.root.clone();
        let folders = stream::once(async move { self.on("", "listed", move |_| folders(&root)).await });
        let listed = folders.flat_map(move |folders| match folders {
            Err(error) => stream::iter(vec![Err(error)]).boxed(),
            Ok(folders) => stream::iter(folders).then(|name| self.folder(name)).flat_map(stream::iter).boxed(),
        });
        listed.boxed()
    }
}

impl Directory {
    async fn folder(&self, name: String) -> Vec<Result<Object>> {
        let prefix = name.clone();
        match self.on(&name, "listed", move |path| files(path, &prefix)).await {
            Ok(files) => files.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("it has no folder"))?;
    fs::create_dir_all(folder)?;
    // The key is nobody else's, so its unfinished name is not either.
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = PathBuf::from(unfinished);
    let written = File::create_new(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let finished = written.and_then(|()| fs::rename(&unfinished, path));
    if finished.is_err() {
        // On a full disk this makes room again.
        let _ = fs::remove_file(&unfinished);
        return finished;
    }
    // The name is on the disk when its folder is.
    File::open(folder)?.sync_all()
}

fn read(path: &Path, range: &Range<u64>) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(range.start))?;
    let length = range.end.saturating_sub(range.start);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes.into()) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

/// The folders there are; what else lies in the directory is none of ours.
fn folders(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(names),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        let ours = name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if ours && entry.file_type()?.is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn files(folder: &Path, prefix: &str) -> io::Result<Vec<Object>> {
    let mut objects = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // One that is renamed or removed meanwhile is not there.
        let Ok(about) = entry.metadata() else { continue };
        if about.is_file() && name.starts_with(prefix) {
            let written_at = DateTime::<Utc>::from(about.modified()?);
            objects.push(Object { key: format!("{prefix}/{name}"), written_at });
        }
    }
    Ok(objects)
}
