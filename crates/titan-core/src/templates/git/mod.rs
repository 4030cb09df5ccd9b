//! Templates from git repositories: what may be asked for (`source`), and how far each has come (`installs`). The API writes down
//! what is wanted, a worker fetches it; nothing here reaches the network.

mod installs;
mod source;

pub use installs::{INSTALL, InstallState, TemplateInstall, begin, create, failed, get, installed, list, try_again};
pub use source::GitSource;
