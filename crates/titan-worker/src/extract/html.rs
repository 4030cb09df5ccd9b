//! HTML as Markdown: headings, lists and links stay, and what a page only does or looks like goes.

use htmd::HtmlToMarkdown;

use super::plain::utf8;
use super::{Kept, Unreadable};

/// What holds no text that somebody reads.
const SKIPPED: [&str; 8] = ["script", "style", "noscript", "template", "svg", "iframe", "object", "head"];
/// Elements that are open at once. Readers descend into them one by one.
const DEEPEST: usize = 4_000;

pub(super) fn html(bytes: &[u8], kept: &mut Kept) -> Result<(), Unreadable> {
    let text = utf8(bytes)?;
    if text.matches('<').count() > DEEPEST && depth(text) > DEEPEST {
        return Err(Unreadable::because(format!("its elements stand more than {DEEPEST} deep in each other")));
    }
    let converter = HtmlToMarkdown::builder().skip_tags(SKIPPED.to_vec()).build();
    let markdown =
        converter.convert(text).map_err(|error| Unreadable::because(format!("it cannot be read: {error}")))?;
    kept.push(&markdown);
    Ok(())
}

/// A bound for how deep elements stand in each other: what is opened and not closed.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for (at, _) in text.match_indices('<') {
        match text.as_bytes().get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(byte) if byte.is_ascii_alphabetic() => depth += 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Unreadable> {
        let mut kept = Kept::default();
        html(text.as_bytes(), &mut kept)?;
        Ok(kept.text().text)
    }

    #[test]
    fn what_somebody_reads_stays() {
        let page = "<html><head><title>t</title><style>p{}</style></head><body><h1>Tea</h1><script>steal()</script>\
                    <p>Green &amp; black</p><ul><li>one</li></ul></body></html>";
        let text = read(page).unwrap();
        assert!(text.contains("# Tea") && text.contains("Green & black") && text.contains("one"), "{text}");
        assert!(!text.contains("steal") && !text.contains("p{}"), "{text}");
    }

    #[test]
    fn what_is_too_deep_is_not_entered() {
        assert!(read(&"<div>".repeat(100_000)).unwrap_err().0.contains("deep"));
        // Many elements side by side are no depth.
        assert!(read(&"<p>x</p>".repeat(10_000)).is_ok());
    }
}
