//! Server-sent events out of bytes, as far as the wires use them: only the data of an event counts. Its own decoder,
//! because a line may come in any number of parts and a server must not be able to fill the memory with one.

/// An event is one token, sometimes a whole answer; nothing sensible is longer.
pub(super) const MAX_EVENT_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SseError {
    TooLong,
    NotUtf8,
}

/// Takes bytes as they come and gives the data of each event that is complete.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    /// A line feed right after a carriage return belongs to the same end of line.
    after_return: bool,
    begun: bool,
}

impl Decoder {
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, SseError> {
        let mut events = Vec::new();
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let (text, end) = match part.split_last() {
                Some((end @ (b'\n' | b'\r'), text)) => (text, Some(*end)),
                _ => (part, None),
            };
            let continues_end = text.is_empty() && end == Some(b'\n') && self.after_return;
            self.after_return = end == Some(b'\r');
            if continues_end {
                continue;
            }
            if self.line.len() + text.len() + self.data.as_ref().map_or(0, Vec::len) > MAX_EVENT_BYTES {
                return Err(SseError::TooLong);
            }
            self.line.extend_from_slice(text);
            if end.is_some() {
                events.extend(self.end_line()?);
            }
        }
        Ok(events)
    }

    /// The last event, when the stream ends without the empty line after it.
    pub(super) fn finish(&mut self) -> Result<Option<String>, SseError> {
        let ended = self.end_line()?;
        if ended.is_some() { Ok(ended) } else { self.take_event() }
    }

    fn end_line(&mut self) -> Result<Option<String>, SseError> {
        let line = std::mem::take(&mut self.line);
        let line = match (self.begun, line.strip_prefix(b"\xef\xbb\xbf")) {
            (false, Some(rest)) => rest,
            _ => line.as_slice(),
        };
        self.begun = true;
        if line.is_empty() {
            return self.take_event();
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            }
        }
        Ok(None)
    }

    fn take_event(&mut self) -> Result<Option<String>, SseError> {
        self.data.take().map(String::from_utf8).transpose().map_err(|_| SseError::NotUtf8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(parts: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::default();
        let mut events: Vec<String> = parts.iter().flat_map(|part| decoder.push(part).unwrap()).collect();
        events.extend(decoder.finish().unwrap());
        events
    }

    #[test]
    fn reads_what_servers_send() {
        let bytes =
            b"\xef\xbb\xbf: comment\n\ndata: one\n\nevent: x\r\ndata:two\r\ndata: lines\r\n\r\nid: 7\n\ndata: last";
        assert_eq!(decode(&[bytes]), ["one", "two\nlines", "last"]);
    }

    #[test]
    fn refuses_what_is_no_text_and_what_does_not_end() {
        assert_eq!(Decoder::default().push(b"data: \xff\n\n"), Err(SseError::NotUtf8));
        let mut decoder = Decoder::default();
        let block = vec![b'x'; 1024 * 1024];
        let refused = (0..9).find_map(|_| decoder.push(&block).err());
        assert_eq!(refused, Some(SseError::TooLong));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_does_not_matter(
            texts in prop::collection::vec("[a-z é日🙂:]{1,12}", 1..8),
            ending in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            cut in 1usize..9,
        ) {
            let wire: String = texts.iter().map(|text| format!("data: {text}{ending}{ending}")).collect();
            let parts: Vec<&[u8]> = wire.as_bytes().chunks(cut).collect();
            prop_assert_eq!(decode(&parts), texts);
        }
    }
}
