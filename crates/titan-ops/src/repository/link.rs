//! Symbolic links of a tree: those that stay inside of it, whatever other links they lead through.

/// Bytes of what a link says; Linux takes no more.
pub(super) const MAX_TARGET: u64 = 4095;

/// Why a link at this path must not say this.
///
/// A path of a tree goes through folders only, so that each `..` at the beginning leads from where the link is to the folder above.
/// What then follows only leads down, or through a link for which the same is true. One more `..` behind that could lead anywhere:
/// what stands before it may be a link itself.
pub(super) fn fault(path: &str, target: &[u8]) -> Option<String> {
    let Ok(target) = std::str::from_utf8(target) else { return Some("is a link to what is no UTF-8".to_owned()) };
    let shown = titan_core::text::head(target, 80);
    if target.is_empty() || target.contains('\0') {
        return Some("is a link to nothing".to_owned());
    }
    if target.starts_with('/') {
        return Some(format!("is a link to {shown:?}; one must be relative and stay within the repository"));
    }
    let names: Vec<&str> = target.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    let up = names.iter().take_while(|name| **name == "..").count();
    if up > path.matches('/').count() {
        return Some(format!("is a link to {shown:?}, which leads out of the repository"));
    }
    if names.iter().skip(up).any(|name| *name == "..") {
        return Some(format!("is a link to {shown:?}; \"..\" may stand at its beginning only"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_inside() {
        for (path, target) in [
            ("link", "file"),
            ("link", "./a/b/"),
            ("a/link", "../b"),
            ("a/b/link", "../../c/d"),
            ("a/b/link", "../.."),
            ("a/link", "b..c/...d"),
        ] {
            assert_eq!(fault(path, target.as_bytes()), None, "{path} -> {target}");
        }
        for (path, target, says) in [
            ("link", "/etc/passwd", "must be relative"),
            ("link", "..", "leads out"),
            ("a/link", "../../x", "leads out"),
            ("a/link", ".././/../x", "leads out"),
            ("a/b/link", "c/../../../x", "at its beginning only"),
            ("a/b/link", "c/..", "at its beginning only"),
            ("link", "", "to nothing"),
            ("link", "a\0b", "to nothing"),
        ] {
            let why = fault(path, target.as_bytes());
            assert!(why.as_ref().is_some_and(|why| why.contains(says)), "{path} -> {target}: {why:?}");
        }
        assert!(fault("link", b"\xff").is_some());
    }
}
