//! Plans: how a model is asked for one, how its sections are seen while it writes, and the plain plan for when there is no
//! model. What a plan is, and whether an answer is one, is `titan_core::plans`' to say.
//!
//! - `request`: the question, and the question again with what is wrong with the answer.
//! - `sections`: the parts of an answer, each as soon as it is whole.
//! - `offline`: a plan from a form of the wish.

mod offline;
mod request;
mod sections;

pub use offline::plan as offline;
pub use request::{Before, Material, TooLarge, repair, request};
pub use sections::Sections;
