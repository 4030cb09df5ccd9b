//! The parts of an answer out of bytes, in whichever way the wire tells them apart.

use super::sse::{self, MAX_EVENT_BYTES, SseError};
use crate::wire::Framing;

pub(super) enum Frames {
    Sse(sse::Decoder),
    Lines(Lines),
}

/// A JSON object on each line.
#[derive(Default)]
pub(super) struct Lines(Vec<u8>);

impl Frames {
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Frames::Sse(sse::Decoder::default()),
            Framing::Lines => Frames::Lines(Lines::default()),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, SseError> {
        match self {
            Frames::Sse(decoder) => decoder.push(bytes),
            Frames::Lines(lines) => lines.push(bytes),
        }
    }

    /// The last part, when nothing ends it.
    pub(super) fn finish(&mut self) -> Result<Option<String>, SseError> {
        match self {
            Frames::Sse(decoder) => decoder.finish(),
            Frames::Lines(lines) => lines.end(),
        }
    }
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, SseError> {
        let mut whole = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.0.len() + part.len() > MAX_EVENT_BYTES {
                return Err(SseError::TooLong);
            }
            self.0.extend_from_slice(part);
            if part.ends_with(b"\n") {
                whole.extend(self.end()?);
            }
        }
        Ok(whole)
    }

    fn end(&mut self) -> Result<Option<String>, SseError> {
        let line = String::from_utf8(std::mem::take(&mut self.0)).map_err(|_| SseError::NotUtf8)?;
        let line = line.trim();
        Ok((!line.is_empty()).then(|| line.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_may_come_in_any_parts() {
        let mut frames = Frames::new(Framing::Lines);
        assert_eq!(frames.push(b"{\"a\":").unwrap(), Vec::<String>::new());
        assert_eq!(frames.push(b"1}\r\n\n{}\n{\"b\"").unwrap(), ["{\"a\":1}", "{}"]);
        assert_eq!(frames.finish().unwrap().as_deref(), Some("{\"b\""));
        assert_eq!(frames.finish().unwrap(), None);
    }

    #[test]
    fn a_line_that_does_not_end_does_not_fill_the_memory() {
        let mut frames = Frames::new(Framing::Lines);
        assert_eq!(frames.push(&vec![b'x'; MAX_EVENT_BYTES + 1]), Err(SseError::TooLong));
    }
}
