//! One request and its whole answer, for both forges: connections, timeouts and limits. Nothing is asked twice here: only the caller
//! knows whether what it asked for may have been done.
//!
//! The token goes to the configured server alone: redirects are not followed, and no proxy is taken from the environment.

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::{Client, Request, StatusCode};
use url::Url;

use super::ForgeError;
use super::failure::Failures;
use super::settings::Timeouts;

/// Bytes of an answer. GitHub cuts its largest, that of a tree, at 7 MB.
const MAX_ANSWER: usize = 16 << 20;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) client: Client,
    pub(crate) failures: Failures,
}

impl Http {
    pub(crate) fn new(server: &Url, timeouts: Timeouts, failures: Failures) -> Result<Self, ForgeError> {
        let mut client = Client::builder()
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.whole)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("titan/", env!("CARGO_PKG_VERSION")));
        if server.scheme() == "http" {
            // A machine without certificates must still reach a server that needs none.
            client = client.tls_certs_only([]);
        }
        let client = client.build().map_err(|error| {
            let cause = failures.quote(&error.to_string());
            ForgeError::Refused(format!("no HTTPS for {server} (Debian: apt-get install ca-certificates): {cause}"))
        })?;
        Ok(Self { client, failures })
    }

    /// `asked` is the request for people: `GET /repos/ida/tea`.
    pub(crate) async fn send(&self, asked: &str, request: Request) -> Result<Answer, ForgeError> {
        let cut = |error| self.failures.of_transport(asked, error);
        let mut response = self.client.execute(request).await.map_err(cut)?;
        let mut body = BytesMut::new();
        while let Some(part) = response.chunk().await.map_err(cut)? {
            if body.len() + part.len() > MAX_ANSWER {
                let why = format!("the answer has more than {} MiB ({asked})", MAX_ANSWER >> 20);
                return Err(ForgeError::Refused(why));
            }
            body.extend_from_slice(&part);
        }
        let headers = std::mem::take(response.headers_mut());
        Ok(Answer { status: response.status(), headers, body: body.freeze() })
    }
}
