//! What a proposal belongs to: an item under "Now" in TASKS.md, by its heading.

/// The headings under "Now".
pub(super) fn items(tasks: &str) -> Vec<&str> {
    let mut lines = tasks.lines().skip_while(|line| line.trim_end() != "## Now").skip(1);
    let mut items = Vec::new();
    for line in lines.by_ref().take_while(|line| !line.starts_with("## ")) {
        items.extend(line.strip_prefix("### ").map(str::trim));
    }
    items
}

/// The item that is meant: that of this name, or without one that of the title. Letter case does not matter, and an item may be named by
/// its beginning up to a colon.
pub(super) fn named<'a>(items: &[&'a str], named: Option<&str>, title: &str) -> Option<&'a str> {
    let plain = |text: &str| text.trim().to_lowercase();
    let wanted = plain(named.unwrap_or(title));
    let is_meant =
        |item: &&&str| plain(item) == wanted || item.split_once(':').is_some_and(|(start, _)| plain(start) == wanted);
    items.iter().find(is_meant).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASKS: &str = "# Tasks\n\n## Now\n\n### Update README\n\n#### Done\n\n### Titan edits itself: diff, patch\n\n## Next\n\n### Later\n";

    #[test]
    fn an_item_is_named_by_its_heading() {
        let items = items(TASKS);
        assert_eq!(items, ["Update README", "Titan edits itself: diff, patch"]);
        assert_eq!(named(&items, None, "update readme "), Some("Update README"));
        assert_eq!(named(&items, Some("Titan edits itself"), "x"), Some("Titan edits itself: diff, patch"));
        assert_eq!(named(&items, Some("Later"), "Update README"), None);
        assert_eq!(named(&items, None, "Something"), None);
        assert!(super::items("# Tasks\n").is_empty());
    }
}
