//! The mirror of the forge's repository, on real repositories that git has made.

mod applying;
mod checking_out;
mod comparing;
mod fetching;
mod killed;
mod kit;
mod merging;
