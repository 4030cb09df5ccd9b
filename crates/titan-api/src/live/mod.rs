//! What is shown live: server-sent events, fed by hints and, where hints are missing, by looking again.

pub mod changes;
pub mod hub;
pub mod run;
pub mod sse;
