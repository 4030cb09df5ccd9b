//! The header `Range`: a part of a file. One range is answered; what asks for several, or in another unit, gets the whole
//! file, as RFC 9110 (14.2) allows.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, DispositionType, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use super::file::file;
use super::problem::{ApiError, Code};

/// What a request says about it.
pub struct Range(Option<String>);

impl FromRequest for Range {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let said = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
        ready(Ok(Range(said.map(str::to_owned))))
    }
}

impl Range {
    /// The file, or the part of it that is asked for.
    ///
    /// # Errors
    /// `range_not_satisfiable` for a part that is not there.
    pub fn of_file(
        &self,
        name: &str,
        media_type: &str,
        bytes: Vec<u8>,
        disposition: DispositionType,
    ) -> Result<HttpResponse, ApiError> {
        let size = bytes.len();
        let part = match self.0.as_deref().map_or(Asked::Whole, |said| asked(said, size)) {
            Asked::Whole => None,
            Asked::Part(first, last) => bytes.get(first..=last).map(|part| (first, last, part.to_vec())),
            Asked::Nothing => {
                let detail =
                    format!("The file has {size} bytes; a range such as bytes=0-{} is there.", size.saturating_sub(1));
                return Err(ApiError::new(Code::RangeNotSatisfiable, detail));
            }
        };
        let mut response = match &part {
            None => file(name, media_type, bytes, disposition),
            Some((_, _, part)) => file(name, media_type, part.clone(), disposition),
        };
        let headers = response.headers_mut();
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some((first, last, _)) = part {
            if let Ok(value) = HeaderValue::from_str(&format!("bytes {first}-{last}/{size}")) {
                headers.insert(header::CONTENT_RANGE, value);
            }
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        Ok(response)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    /// From the first to the last byte, both included.
    Part(usize, usize),
    Nothing,
}

fn asked(said: &str, size: usize) -> Asked {
    let Some((first, last)) = said.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Asked::Whole;
    };
    match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), _) if first >= size => Asked::Nothing,
        (Ok(first), Ok(last)) if last >= first => Asked::Part(first, last.min(size - 1)),
        (Ok(first), Err(_)) if last.trim().is_empty() => Asked::Part(first, size - 1),
        (Err(_), Ok(last)) if first.trim().is_empty() && size > 0 => match last {
            0 => Asked::Nothing,
            last => Asked::Part(size.saturating_sub(last), size - 1),
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
            ("bytes=0-3", Asked::Part(0, 3)),
            ("bytes=4-", Asked::Part(4, 9)),
            ("bytes=-3", Asked::Part(7, 9)),
            ("bytes=-99", Asked::Part(0, 9)),
            ("bytes=8-99", Asked::Part(8, 9)),
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
    }
}
