//! Sales: offers, the leads that may buy them, what was said to them, and lists of leads that come in and go out.

mod leads;
mod notes;
mod offers;
mod tables;

use titan_core::queue::Hint;
use uuid::Uuid;

use super::State;

// The description that OpenAPI is made from stands beside each handler.
pub use leads::*;
pub use notes::*;
pub use offers::*;
pub use tables::*;

fn tell(state: &State, kind: &str, id: Uuid, project_id: Uuid) {
    state.notifier.send(vec![Hint::change(kind, id, project_id)]);
}
