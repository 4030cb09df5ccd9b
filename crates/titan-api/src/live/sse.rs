//! Server-sent events as bytes, and the answer that streams them.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use bytes::Bytes;
use futures_util::Stream;
use serde::Serialize;

/// A proxy or a browser takes silence for a dead connection; a comment now and then says otherwise.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);
pub const KEEP_ALIVE_COMMENT: &[u8] = b": keep-alive\n\n";
/// Sent first, so that the answer begins at once. A client that is cut off comes back after a second.
pub const OPENING: &[u8] = b"retry: 1000\n: connected\n\n";

/// One event, appended to a buffer. JSON has no line breaks of its own, so one `data:` line is enough.
pub fn write(out: &mut Vec<u8>, id: Option<i64>, event: &str, data: &impl Serialize) {
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    out.extend_from_slice(format!("event: {event}\ndata: ").as_bytes());
    // Our own types always serialise; should one not, the event is empty and the stream stays in form.
    out.extend_from_slice(&serde_json::to_vec(data).unwrap_or_else(|_| b"null".to_vec()));
    out.extend_from_slice(b"\n\n");
}

/// One event by itself.
#[must_use]
pub fn event(event: &str, data: &impl Serialize) -> Bytes {
    let mut out = Vec::new();
    write(&mut out, None, event, data);
    out.into()
}

/// The streaming answer. `X-Accel-Buffering` asks proxies not to hold it back.
pub fn respond(stream: impl Stream<Item = Result<Bytes, Infallible>> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-cache, no-store, no-transform"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_block_with_one_data_line() {
        let mut out = Vec::new();
        write(&mut out, Some(7), "run_event", &serde_json::json!({"text": "two\nlines"}));
        assert_eq!(String::from_utf8(out).unwrap(), "id: 7\nevent: run_event\ndata: {\"text\":\"two\\nlines\"}\n\n");
    }
}
