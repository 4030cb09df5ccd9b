//! Counts requests: how many, by method and status, and how long until their answers began. Addresses are not counted
//! apart: there are as many as there are things.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::{Kind, Text};
use crate::state::AppState;

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
const STATUSES: std::ops::Range<u16> = 100..600;
/// Upper bounds in seconds, as they are written.
const BOUNDS: [(f64, &str); 13] = [
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1"),
    (2.5, "2.5"),
    (5.0, "5"),
    (10.0, "10"),
];

/// The requests of this process.
#[derive(Debug)]
pub struct Traffic {
    /// A counter for each method and status, a row of statuses per method.
    requests: Vec<AtomicU64>,
    /// One for each bound and one for what is longer. Each request is in one of them.
    durations: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Default for Traffic {
    fn default() -> Self {
        let requests = std::iter::repeat_with(AtomicU64::default).take(METHODS.len() * STATUSES.len()).collect();
        Traffic { requests, durations: Default::default(), micros: AtomicU64::default() }
    }
}

impl Traffic {
    fn count(&self, method: &str, status: u16, took: Duration) {
        let method = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        let status = usize::from(status.saturating_sub(STATUSES.start)).min(STATUSES.len() - 1);
        if let Some(counter) = self.requests.get(method * STATUSES.len() + status) {
            counter.fetch_add(1, Relaxed);
        }
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|(bound, _)| seconds <= *bound).unwrap_or(BOUNDS.len());
        if let Some(counter) = self.durations.get(bucket) {
            counter.fetch_add(1, Relaxed);
        }
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    #[allow(clippy::cast_precision_loss)]
    pub fn write(&self, text: &mut Text) {
        let mut family = text.family(Kind::Counter, "titan_http_requests_total", "Requests that were answered.");
        for (method, row) in METHODS.iter().zip(self.requests.chunks(STATUSES.len())) {
            for (status, counter) in STATUSES.zip(row) {
                let count = counter.load(Relaxed);
                if count > 0 {
                    family.sample(&[("method", method), ("status", &status.to_string())], count as f64);
                }
            }
        }
        let help = "How long it took until the answer to a request began.";
        let mut family = text.family(Kind::Histogram, "titan_http_request_seconds", help);
        let mut sum = 0;
        let bounds = BOUNDS.iter().map(|(_, word)| *word).chain(["+Inf"]);
        for (bound, counter) in bounds.zip(&self.durations) {
            sum += counter.load(Relaxed);
            family.part("_bucket", &[("le", bound)], sum as f64);
        }
        family.part("_sum", &[], self.micros.load(Relaxed) as f64 / 1e6).part("_count", &[], sum as f64);
    }
}

/// The middleware around everything, so that what guards refuse counts too.
///
/// # Errors
/// What comes from within.
pub async fn traffic(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let begun = Instant::now();
    let state = request.app_data::<web::Data<AppState>>().cloned();
    let method = request.method().clone();
    let outcome = next.call(request).await;
    if let Some(state) = state {
        let status = match &outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        state.traffic.count(method.as_str(), status.as_u16(), begun.elapsed());
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_hold_all_that_is_not_longer() {
        let traffic = Traffic::default();
        for (method, status, ms) in [("GET", 200, 1), ("GET", 200, 3), ("PURGE", 404, 20_000)] {
            traffic.count(method, status, Duration::from_millis(ms));
        }
        let mut text = Text::default();
        traffic.write(&mut text);
        let text = text.finish();
        for line in [
            "titan_http_requests_total{method=\"GET\",status=\"200\"} 2",
            "titan_http_requests_total{method=\"other\",status=\"404\"} 1",
            "titan_http_request_seconds_bucket{le=\"0.001\"} 1",
            "titan_http_request_seconds_bucket{le=\"0.005\"} 2",
            "titan_http_request_seconds_bucket{le=\"10\"} 2",
            "titan_http_request_seconds_bucket{le=\"+Inf\"} 3",
            "titan_http_request_seconds_sum 20.004",
            "titan_http_request_seconds_count 3",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
    }
}
