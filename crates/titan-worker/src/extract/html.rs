//! HTML as Markdown: headings, lists and links stay, and what a page only does or looks like goes.

use std::collections::HashMap;
use std::rc::Rc;

use htmd::{HtmlToMarkdown, Node};

use super::plain::utf8;
use super::{Kept, Unreadable};

/// What holds no text that somebody reads.
const SKIPPED: [&str; 8] = ["script", "style", "noscript", "template", "svg", "iframe", "object", "head"];
/// Elements that stand in each other. Readers descend into them one by one.
const DEEPEST: usize = 4_000;
/// What has nothing in it: <https://html.spec.whatwg.org/multipage/syntax.html#void-elements>.
const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// What may stay open, because the next of its kind ends it.
const ENDED_BY_THE_NEXT: [&str; 16] = [
    "p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "rt", "rp",
    "caption",
];
/// What holds text in which `<` begins nothing.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

pub(super) fn html(bytes: &[u8], kept: &mut Kept) -> Result<(), Unreadable> {
    let text = utf8(bytes)?;
    let too_deep = || Unreadable::because(format!("its elements stand more than {DEEPEST} deep in each other"));
    if looks_too_deep(text) {
        return Err(too_deep());
    }
    let converter = HtmlToMarkdown::builder().skip_tags(SKIPPED.to_vec()).build();
    let tree =
        converter.html_to_tree(text).map_err(|error| Unreadable::because(format!("it cannot be read: {error}")))?;
    if depth(&tree) > DEEPEST {
        return Err(too_deep());
    }
    kept.push(&converter.tree_to_markdown(&tree));
    Ok(())
}

/// How deep the deepest node is.
fn depth(tree: &Rc<Node>) -> usize {
    let (mut depth, mut level) = (0, vec![Rc::clone(tree)]);
    while !level.is_empty() {
        depth += 1;
        level = level.iter().flat_map(|node| node.children.borrow().clone()).collect();
    }
    depth
}

/// Whether so many elements are opened and not ended that the page need not be parsed, which takes long where they are many. It goes
/// by the marks alone: what slips through is found in the tree.
fn looks_too_deep(text: &str) -> bool {
    let (mut open, mut count) = (Vec::new(), HashMap::<String, usize>::new());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = rest.get(at + 1..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").and_then(|end| comment.get(end..)).unwrap_or_default();
            continue;
        }
        let (is_end, tag) = rest.strip_prefix('/').map_or((false, rest), |tag| (true, tag));
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).take(20).collect();
        let name = name.to_ascii_lowercase();
        let named = name.as_str();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic())
            || VOID.contains(&named)
            || ENDED_BY_THE_NEXT.contains(&named)
        {
            continue;
        }
        let opened = count.get(named).copied().unwrap_or(0);
        if is_end {
            // An end without a beginning ends nothing.
            while opened > 0
                && let Some(last) = open.pop()
            {
                count.entry(String::clone(&last)).and_modify(|count| *count -= 1);
                if last == name {
                    break;
                }
            }
        } else if RAW.contains(&named) {
            rest = after_end_of(rest, named);
        } else {
            count.insert(name.clone(), opened + 1);
            open.push(name);
        }
        if open.len() > DEEPEST {
            return true;
        }
    }
    false
}

/// What comes after the end of an element that holds only text.
fn after_end_of<'t>(mut text: &'t str, name: &str) -> &'t str {
    while let Some(at) = text.find("</") {
        text = text.get(at + 2..).unwrap_or_default();
        if text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return text;
        }
    }
    ""
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
        // What ends nothing makes nothing less deep.
        assert!(read(&"<div></x>".repeat(100_000)).unwrap_err().0.contains("deep"));
        assert!(read(&"<div/>".repeat(5_000)).unwrap_err().0.contains("deep"));
        assert!(read(&"<ul><li>".repeat(5_000)).unwrap_err().0.contains("deep"));
    }

    #[test]
    fn many_elements_side_by_side_are_no_depth() {
        let script = format!("<script>{}</script><p>x", "if(a<b)c();".repeat(10_000));
        let comment = format!("<!--{}--><p>x", "<div>".repeat(10_000));
        for page in ["<p>x</p>", "x<br>", "x<br/>", "<img src=a.png>x", "<p>x", "<li>x", "<input>x", "<tr><td>x"] {
            assert!(read(&page.repeat(10_000)).unwrap().contains('x'), "{page}");
        }
        for page in [script, comment] {
            assert_eq!(read(&page).unwrap(), "x");
        }
    }
}
