//! What may stand in the routes of a forge, and how.

use url::form_urlencoded::byte_serialize;

use super::ForgeError;

/// Git refuses other names too, but these would also lead to another route.
pub(crate) fn checked_branch(name: &str) -> Result<&str, ForgeError> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\\"".contains(c);
    let parts =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.ends_with(".lock");
    let whole = !name.contains("..") && !name.contains("@{") && !name.starts_with('-') && name != "@";
    if name.len() <= 200 && !name.contains(odd) && whole && name.split('/').all(parts) {
        return Ok(name);
    }
    let name = titan_core::text::head(name, 100).escape_debug();
    Err(ForgeError::Refused(format!("\"{name}\" is no name of a branch; one is like titan/ops/7")))
}

pub(crate) fn checked_commit(id: &str) -> Result<&str, ForgeError> {
    let digits = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits && matches!(id.len(), 40 | 64) {
        return Ok(id);
    }
    let id = titan_core::text::head(id, 100).escape_debug();
    Err(ForgeError::Refused(format!("\"{id}\" is no commit; write all 40 digits of it, in small letters")))
}

/// A name as a part of a route; its slashes stay.
pub(crate) fn in_route(name: &str) -> String {
    name.split('/').map(|part| byte_serialize(part.as_bytes()).collect::<String>()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_branches_come_into_a_route() {
        for right in ["main", "titan/ops/0190", "a-b_c.d", "feature/#7", "zweig/ä", "50%"] {
            assert_eq!(checked_branch(right), Ok(right));
        }
        for wrong in
            ["", "a b", "../x", "a/../b", "a//b", "/a", "a/", ".a", "a/.b", "-x", "a?b", "a\0", "a.lock", "@", "a@{1}"]
        {
            assert!(checked_branch(wrong).is_err(), "{wrong:?}");
        }
        assert!(checked_branch(&"a".repeat(201)).is_err());
        assert_eq!(in_route("feature/#7%"), "feature/%237%25");
        assert_eq!(in_route("titan/ops/0190-a_b.c"), "titan/ops/0190-a_b.c");
    }

    #[test]
    fn a_commit_is_named_whole() {
        assert!(checked_commit(&"a".repeat(40)).is_ok() && checked_commit(&"0".repeat(64)).is_ok());
        for wrong in ["", "main", &"A".repeat(40), &"a".repeat(39), "../../x"] {
            assert!(checked_commit(wrong).is_err(), "{wrong:?}");
        }
    }
}
