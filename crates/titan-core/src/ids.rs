//! Ids: UUIDv7, so that they sort by the time they were made and index well.

pub use uuid::Uuid;

/// A new id.
#[must_use]
pub fn new() -> Uuid {
    Uuid::now_v7()
}

/// A trace id in the form of W3C trace context: 32 lowercase hex digits.
#[must_use]
pub fn new_trace() -> String {
    Uuid::now_v7().simple().to_string()
}
