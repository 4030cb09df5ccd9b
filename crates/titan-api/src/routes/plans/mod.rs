//! Plans and charters: a wish becomes a draft (`draft`), versions are read and compared (`read`), and one of them is approved
//! (`decide`).

mod decide;
mod draft;
mod read;

pub use decide::*;
pub use draft::*;
pub use read::*;
