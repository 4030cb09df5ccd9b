//! Notices clients that leave: actix drops the answer of a closed connection, wherever it is just then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lives as long as one answer, and counts it as abandoned unless it became whole.
pub(super) struct Watch {
    abandoned: Arc<AtomicUsize>,
    whole: bool,
}

impl Watch {
    pub(super) fn new(abandoned: &Arc<AtomicUsize>) -> Self {
        Self { abandoned: Arc::clone(abandoned), whole: false }
    }

    /// The server has said all it wanted to.
    pub(super) fn whole(&mut self) {
        self.whole = true;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.whole {
            self.abandoned.fetch_add(1, Ordering::SeqCst);
        }
    }
}
