//! The faults, in the order in which they are tried.

mod kill_worker;

use super::Row;

pub(super) const ALL: &[Row] = &[kill_worker::ROW];
