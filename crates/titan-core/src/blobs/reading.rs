//! Reading blobs: whole, or piece by piece so that a large one is never whole in memory. What is read whole, either way, is
//! held against its checksum before its last byte is given away; of a part only the length can be known.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use sha2::{Digest as _, Sha256};

use super::Blobs;
use super::outside::Outside;
use super::rows::{self, CHUNK, Known};
use crate::db::Db;
use crate::text::hex;
use crate::{Error, Result};

/// Where the bytes of a blob are.
#[derive(Debug, Clone)]
enum Source {
    Postgres,
    Outside(Arc<dyn Outside>, String),
}

impl Blobs {
    /// A whole blob, named by its checksum in hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Storage`] when the store does not give it, [`Error::Internal`] when it is not what it was.
    pub async fn read(&self, sha256: &str) -> Result<Vec<u8>> {
        let digits = sha256.to_owned();
        let (known, here) = self.db.run(move |connection| look(connection, &digits)).await?;
        let bytes = match self.source(sha256, &known)? {
            Source::Postgres => here,
            Source::Outside(outside, key) => outside.get(&key, 0..length(&known)).await?.into(),
        };
        checked(sha256, &known, &Sha256::digest(&bytes))?;
        Ok(bytes)
    }

    /// The same for a thread that may wait.
    ///
    /// # Errors
    /// As above.
    pub fn read_blocking(&self, sha256: &str) -> Result<Vec<u8>> {
        let (known, bytes) = self.db.run_blocking(|connection| look(connection, sha256))?;
        match self.source(sha256, &known)? {
            Source::Postgres => checked(sha256, &known, &Sha256::digest(&bytes)).map(|()| bytes),
            Source::Outside(..) => self.wait(self.read(sha256)),
        }
    }

    /// A blob that is to be read piece by piece.
    ///
    /// # Errors
    /// When it is not there, or kept where this process does not look.
    pub async fn open(&self, sha256: &str) -> Result<Reader> {
        let digits = sha256.to_owned();
        let known = self.db.run(move |connection| rows::known(connection, &digits)).await?;
        let source = self.source(sha256, &known)?;
        Ok(Reader { db: self.db.clone(), sha256: sha256.to_owned(), source, known })
    }

    fn source(&self, sha256: &str, known: &Known) -> Result<Source> {
        let Some(place) = &known.place else { return Ok(Source::Postgres) };
        let ours = self.outside.as_ref().and_then(|outside| {
            let key = place.strip_prefix(outside.scheme())?.strip_prefix(':')?;
            Some(Source::Outside(Arc::clone(outside), key.to_owned()))
        });
        ours.ok_or_else(|| Error::Storage(format!("blob {sha256} is at {place}, where TITAN_BLOB_URL does not lead")))
    }
}

/// What is known of it, and its bytes when Postgres has them.
fn look(connection: &mut diesel::PgConnection, sha256: &str) -> Result<(Known, Vec<u8>)> {
    let known = rows::known(connection, sha256)?;
    let bytes = if known.place.is_none() { rows::whole(connection, sha256)? } else { Vec::new() };
    Ok((known, bytes))
}

fn length(known: &Known) -> u64 {
    u64::try_from(known.size).unwrap_or(0)
}

fn checked(sha256: &str, known: &Known, found: &[u8]) -> Result<()> {
    if hex(found) == sha256 {
        return Ok(());
    }
    let place = known.place.as_deref().unwrap_or("Postgres");
    Err(Error::Internal(format!(
        "blob {sha256} in {place} is not what it was: its bytes have the checksum {}",
        hex(found)
    )))
}

/// A blob, about to be read.
#[derive(Debug)]
pub struct Reader {
    db: Db,
    sha256: String,
    source: Source,
    known: Known,
}

impl Reader {
    /// Bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        length(&self.known)
    }

    /// The bytes of a range, in pieces of at most 1 MiB. It ends with an error when a piece cannot be had, or when the whole
    /// is read and is not what it was.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        let hash = (range == (0..self.size())).then(Sha256::new);
        let begin = Pieces { reader: self, at: range.start, end: range.end, hash };
        stream::try_unfold(begin, |mut pieces| async move {
            let piece = pieces.next().await?;
            Ok(piece.map(|piece| (piece, pieces)))
        })
    }

    async fn piece(&self, range: Range<u64>) -> Result<Bytes> {
        let length = range.end - range.start;
        match &self.source {
            Source::Outside(outside, key) => outside.get(key, range).await,
            Source::Postgres => {
                let digits = self.sha256.clone();
                let part =
                    move |connection: &mut diesel::PgConnection| rows::part(connection, &digits, range.start, length);
                let bytes = self.db.run(part).await?;
                if bytes.len() as u64 == length {
                    return Ok(bytes.into());
                }
                Err(Error::Internal(format!("blob {} in Postgres is not whole", self.sha256)))
            }
        }
    }
}

/// How far a stream is.
struct Pieces {
    reader: Reader,
    at: u64,
    end: u64,
    /// Over all that was read, when it is the whole.
    hash: Option<Sha256>,
}

impl Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.at >= self.end {
            return Ok(None);
        }
        // To the end of the chunk.
        let to = (self.at / CHUNK + 1).saturating_mul(CHUNK).min(self.end);
        let piece = self.reader.piece(self.at..to).await?;
        self.at = to;
        if let Some(hash) = &mut self.hash {
            hash.update(&piece);
        }
        if self.at >= self.end
            && let Some(hash) = self.hash.take()
        {
            checked(&self.reader.sha256, &self.reader.known, &hash.finalize())?;
        }
        Ok(Some(piece))
    }
}
