//! Ids: UUIDv7, so that they sort by the time they were made and index well.

pub use uuid::Uuid;

/// A new id.
#[must_use]
pub fn new() -> Uuid {
    Uuid::now_v7()
}

/// The key of the advisory lock that stands for a thing: the low half of its id, which is random.
#[must_use]
pub fn lock_key(id: Uuid) -> i64 {
    let [_, _, _, _, _, _, _, _, low @ ..] = id.into_bytes();
    i64::from_be_bytes(low)
}

/// A trace id in the form of W3C trace context: 32 lowercase hex digits.
#[must_use]
pub fn new_trace() -> String {
    Uuid::now_v7().simple().to_string()
}
