//! What octocrab speaks through: our own HTTP client in place of its default one, for timeouts over a whole answer, a limit to its
//! size, no redirects and no proxy, and for GraphQL beside the API of an Enterprise Server rather than below it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use octocrab::OctoBody;
use reqwest::Request;
use reqwest::header::{ACCEPT, HeaderValue};
use tower_service::Service;
use url::Url;

use crate::forge::ForgeError;
use crate::forge::http::Http;

/// The route of GraphQL, wherever it is.
pub(super) const GRAPHQL: &str = "/graphql";

#[derive(Debug, Clone)]
pub(super) struct Transport {
    http: Http,
    /// Without a slash at its end.
    rest: String,
    graphql: String,
}

impl Transport {
    pub(super) fn new(http: Http, api: &Url) -> Self {
        let rest = api.as_str().trim_end_matches('/').to_owned();
        let graphql = format!("{}{GRAPHQL}", rest.strip_suffix("/v3").unwrap_or(&rest));
        Self { http, rest, graphql }
    }

    async fn send(self, request: http::Request<OctoBody>) -> Result<http::Response<Full<Bytes>>, ForgeError> {
        let (parts, body) = request.into_parts();
        let route = parts.uri.path_and_query().map_or("/", |route| route.as_str());
        let asked = format!("{} {}", parts.method, parts.uri.path());
        let bad = |why: String| ForgeError::Refused(format!("this cannot be asked for: {why} ({asked})"));
        if parts.uri.authority().is_some() {
            // The token would go along.
            return Err(bad("it is the route of another server".to_owned()));
        }
        let url = if route == GRAPHQL { self.graphql.clone() } else { format!("{}{route}", self.rest) };
        let url = Url::parse(&url).map_err(|error| bad(error.to_string()))?;
        let body = body.collect().await.map_err(|_| bad("it has no whole body".to_owned()))?.to_bytes();
        let mut request = Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        let answer = self.http.send(&asked, request).await?;
        let mut response = http::Response::new(Full::new(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

impl Service<http::Request<OctoBody>> for Transport {
    type Response = http::Response<Full<Bytes>>;
    type Error = ForgeError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<OctoBody>) -> Self::Future {
        Box::pin(self.clone().send(request))
    }
}
