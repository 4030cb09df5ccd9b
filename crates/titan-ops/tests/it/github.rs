//! GitHub behind its trait, against a fake that has GitHub's own description of itself check every request and answer, over a real
//! bare repository.

mod access;
mod changes;
mod checks;
mod faults;
mod life;
mod merging;
