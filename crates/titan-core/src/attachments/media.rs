//! What a file is, told by its bytes: what it is said to be only counts when they agree.

use serde::de::IgnoredAny;

use super::MAX_SIZE;
use crate::text::head;
use crate::{Error, Result};

const IMAGES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];

/// The media type of a file that may be attached.
///
/// # Errors
/// [`Error::Invalid`] with what is wrong and what would be right.
pub(super) fn checked(told: Option<&str>, bytes: &[u8]) -> Result<String> {
    if bytes.is_empty() {
        return Err(Error::invalid("data", "must not be empty"));
    }
    if bytes.len() > MAX_SIZE {
        let message = format!("must have at most {MAX_SIZE} bytes, and has {}", bytes.len());
        return Err(Error::invalid("data", message));
    }
    let told = told.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = told.is_empty() || told == "application/json" || told.starts_with("text/") || IMAGES.contains(&&*told);
    if !known || !told.bytes().all(|byte| byte.is_ascii_graphic()) || told.len() > 100 {
        let message = format!("must be text/*, application/json, {}; and is {:?}", IMAGES.join(", "), head(&told, 100));
        return Err(Error::invalid("media_type", message));
    }
    match (image(bytes), told.as_str()) {
        (Some(image), "") => Ok(image.to_owned()),
        (Some(image), told) if image == told => Ok(told.to_owned()),
        (Some(image), told) => Err(Error::invalid("data", format!("is {image} and not {told}"))),
        (None, told) if told.starts_with("image/") => Err(Error::invalid("data", format!("is not {told}"))),
        (None, told) => text(told, bytes),
    }
}

fn text(told: &str, bytes: &[u8]) -> Result<String> {
    if bytes.contains(&0) || std::str::from_utf8(bytes).is_err() {
        let message = format!("must be text in UTF-8, JSON, or an image ({})", IMAGES.join(", "));
        return Err(Error::invalid("data", message));
    }
    if told == "application/json"
        && let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes)
    {
        return Err(Error::invalid("data", format!("is not JSON: {error}")));
    }
    Ok(if told.is_empty() { "text/plain".to_owned() } else { told.to_owned() })
}

/// By the first bytes, as the formats lay them down.
fn image(bytes: &[u8]) -> Option<&'static str> {
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        _ if webp => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide_and_the_name_of_the_type_must_agree() {
        let png = b"\x89PNG\r\n\x1a\nrest";
        for (told, bytes, is) in [
            (None, &png[..], "image/png"),
            (Some("image/png"), png, "image/png"),
            (None, b"\xff\xd8\xff\xe0", "image/jpeg"),
            (None, b"GIF89a...", "image/gif"),
            (None, b"RIFF....WEBPVP8 ", "image/webp"),
            (None, "plain é".as_bytes(), "text/plain"),
            (Some("Text/Markdown; charset=utf-8"), b"# hi", "text/markdown"),
            (Some("application/json"), b"{\"a\": 1}", "application/json"),
        ] {
            assert_eq!(checked(told, bytes).unwrap(), is, "{told:?}");
        }
        let long = format!("application/{}", "x".repeat(1000));
        assert!(checked(Some(&long), b"x").unwrap_err().to_string().len() < 250);
        for (told, bytes, says) in [
            (Some("image/jpeg"), &png[..], "is image/png and not image/jpeg"),
            (Some("text/plain"), png, "is image/png"),
            (Some("image/png"), b"text", "is not image/png"),
            (Some("application/json"), b"{", "is not JSON"),
            (Some("application/pdf"), b"%PDF", "must be text/*"),
            (None, b"a\0b", "must be text in UTF-8"),
            (None, b"\xff\xfe", "must be text in UTF-8"),
            (None, b"", "must not be empty"),
        ] {
            let error = checked(told, bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!(checked(None, &vec![b'a'; MAX_SIZE]).is_ok());
        assert!(checked(None, &vec![b'a'; MAX_SIZE + 1]).unwrap_err().to_string().contains("at most 5242880"));
    }
}
