//! Which part of a file a request asks for, and on what condition. One range is answered; what asks for several, or in another
//! unit, gets the whole file, as RFC 9110 (14.2) allows.

use std::future::{Ready, ready};
use std::ops::Range;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName};
use actix_web::{FromRequest, HttpRequest};

use super::problem::{ApiError, Code};

/// What a request says about it.
#[derive(Debug, Default)]
pub struct Wanted {
    range: Option<String>,
    if_range: Option<String>,
    if_none_match: Option<String>,
    /// Only what would be told of it.
    pub head: bool,
}

impl FromRequest for Wanted {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let said = |name: HeaderName| Some(request.headers().get(name)?.to_str().ok()?.trim().to_owned());
        ready(Ok(Wanted {
            range: said(header::RANGE),
            if_range: said(header::IF_RANGE),
            if_none_match: said(header::IF_NONE_MATCH),
            head: request.method() == Method::HEAD,
        }))
    }
}

impl Wanted {
    /// Whether the client has it already.
    #[must_use]
    pub fn is_known(&self, etag: &str) -> bool {
        let tags = self.if_none_match.as_deref().unwrap_or_default();
        tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    }

    /// None for the whole file.
    ///
    /// # Errors
    /// `range_not_satisfiable` for a part that is not there.
    pub fn part(&self, size: u64, etag: &str) -> Result<Option<Range<u64>>, ApiError> {
        // A part of another version than the client has would fit nothing.
        let same = self.if_range.as_deref().is_none_or(|tag| tag == etag);
        match self.range.as_deref().filter(|_| same).map_or(Asked::Whole, |said| asked(said, size)) {
            Asked::Whole => Ok(None),
            Asked::Part(part) => Ok(Some(part)),
            Asked::Nothing if size == 0 => {
                Err(ApiError::new(Code::RangeNotSatisfiable, "The file is empty; ask for it without a range."))
            }
            Asked::Nothing => {
                let detail = format!("The file has {size} bytes; a range such as bytes=0-{} is there.", size - 1);
                Err(ApiError::new(Code::RangeNotSatisfiable, detail))
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    Nothing,
}

fn asked(said: &str, size: u64) -> Asked {
    let Some((first, last)) = said.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::Whole;
    };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), _) if first >= size => Asked::Nothing,
        (Ok(first), Ok(last)) if last >= first => Asked::Part(first..last.min(size - 1) + 1),
        (Ok(first), Err(_)) if last.trim().is_empty() => Asked::Part(first..size),
        (Err(_), Ok(last)) if first.trim().is_empty() && size > 0 => match last {
            0 => Asked::Nothing,
            last => Asked::Part(size.saturating_sub(last)..size),
        },
        _ => Asked::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_from_the_beginning_the_middle_or_the_end() {
        for (said, is) in [
            ("bytes=0-3", Asked::Part(0..4)),
            ("bytes=4-", Asked::Part(4..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=8-99", Asked::Part(8..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=3-1", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("lines=1-2", Asked::Whole),
            ("bytes=x", Asked::Whole),
        ] {
            assert_eq!(asked(said, 10), is, "{said}");
        }
        assert_eq!(asked("bytes=0-", 0), Asked::Nothing);
        assert_eq!(asked("bytes=0-18446744073709551615", 10), Asked::Part(0..10));
    }

    #[test]
    fn a_part_is_given_of_the_version_that_the_client_has() {
        let wanted = |if_range: Option<&str>| Wanted {
            range: Some("bytes=0-3".to_owned()),
            if_range: if_range.map(str::to_owned),
            ..Wanted::default()
        };
        assert_eq!(wanted(None).part(10, "\"a\"").unwrap(), Some(0..4));
        assert_eq!(wanted(Some("\"a\"")).part(10, "\"a\"").unwrap(), Some(0..4));
        // A weak one, or a date, is never known to be the same.
        for other in ["\"b\"", "W/\"a\"", "Sun, 22 Nov 2026 12:00:00 GMT"] {
            assert_eq!(wanted(Some(other)).part(10, "\"a\"").unwrap(), None, "{other}");
        }
        let has = |tags: &str| Wanted { if_none_match: Some(tags.to_owned()), ..Wanted::default() }.is_known("\"a\"");
        assert!(has("\"a\"") && has("\"b\", W/\"a\"") && has("*") && !has("\"b\"") && !has(""));
    }
}
