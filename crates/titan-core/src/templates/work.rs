//! How much the filters of one file's template may work on: everything that they read and make is counted, in bytes, and beyond
//! the limit the template ends. Values live no longer than their template, so this limits their memory too; `grammar` sees to
//! it that nothing else makes large ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Value as Jinja, ValueKind};
use minijinja::{Error, ErrorKind};

use super::MAX_RENDERED_FILE;

/// Bytes for one file; a filter needs some multiple of its share for a moment.
pub(super) const MAX_WORK: usize = 16 * MAX_RENDERED_FILE;
/// A value in a list, beside its own bytes.
const EACH: usize = 16;

/// What is left. Shared with the filters, which outlive the call that counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Work(Arc<AtomicUsize>);

impl Work {
    /// Another file begins.
    pub(super) fn begin(&self) {
        self.0.store(MAX_WORK, Ordering::Relaxed);
    }

    fn spend(&self, bytes: usize) -> Result<(), Error> {
        let spent = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).map(drop).map_err(|_| too_much())
    }

    /// Before a filter reads this.
    pub(super) fn read(&self, value: &Jinja) -> Result<(), Error> {
        self.weigh(value)
    }

    /// Of a text that is about to be made, or was.
    pub(super) fn make(&self, bytes: usize) -> Result<(), Error> {
        if bytes > MAX_RENDERED_FILE { Err(too_much()) } else { self.spend(bytes) }
    }

    /// Of a part that is about to be added to a text of so many bytes.
    pub(super) fn room(&self, there: usize, more: usize) -> Result<(), Error> {
        if there + more > MAX_RENDERED_FILE { Err(too_much()) } else { self.spend(more) }
    }

    /// Of what a filter returned.
    pub(super) fn made(&self, value: Jinja) -> Result<Jinja, Error> {
        match value.as_str() {
            Some(text) => self.make(text.len())?,
            None => self.weigh(&value)?,
        }
        Ok(value)
    }

    /// Part by part, so that it ends where the limit is.
    fn weigh(&self, value: &Jinja) -> Result<(), Error> {
        self.spend(EACH + value.as_str().map_or(0, str::len))?;
        match value.kind() {
            ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.try_for_each(|item| self.weigh(&item)),
            ValueKind::Map => value.try_iter()?.try_for_each(|key| {
                self.weigh(&key)?;
                self.weigh(&value.get_item(&key)?)
            }),
            _ => Ok(()),
        }
    }
}

fn too_much() -> Error {
    Error::new(ErrorKind::OutOfFuel, "the filters have too much to do")
}
