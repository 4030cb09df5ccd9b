//! A local copy of the forge's repository.
