//! GraphQL at GitHub. It answers 200 whatever happened: what went wrong stands in the body, by a type that means what the status of
//! another route does.

use bytes::Bytes;
use http_body_util::BodyExt;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::{Ask, Client};
use super::transport::GRAPHQL;
use crate::forge::failure::Failed;

#[derive(Deserialize)]
struct Answer {
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<GraphError>,
}

#[derive(Debug, Deserialize)]
struct GraphError {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    message: String,
    /// Only errors of the request itself have it.
    extensions: Option<Value>,
}

impl Client {
    pub(super) async fn graphql<R: DeserializeOwned>(
        &self,
        name: &str,
        query: &str,
        variables: &Value,
    ) -> Result<R, Failed> {
        let body = json!({ "query": query, "variables": variables });
        let ask = Ask { method: Method::POST, route: GRAPHQL, query: &[], known: None, body: Some(&body) };
        let asked = format!("{} {name}", ask.asked());
        let (parts, body) = self.ask(&ask).await?.into_parts();
        let body: Bytes = body.collect().await.map_err(|error| self.failed(&asked, error))?.to_bytes();
        let unreadable = |error: serde_json::Error| self.failures.unreadable(&asked, &error.to_string());
        let answer: Answer = serde_json::from_slice(&body).map_err(unreadable)?;
        if let Some(error) = answer.errors.first() {
            let words = answer.errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ");
            return Err(self.failures.of_answer(&asked, status_of(error), &parts.headers, &words));
        }
        Ok(serde_json::from_value(answer.data.unwrap_or_default()).map_err(unreadable)?)
    }
}

fn status_of(error: &GraphError) -> StatusCode {
    match (error.kind.as_deref(), &error.extensions) {
        (Some("STALE_DATA"), _) => StatusCode::CONFLICT,
        (Some("NOT_FOUND"), _) => StatusCode::NOT_FOUND,
        (Some("FORBIDDEN" | "INSUFFICIENT_SCOPES"), _) => StatusCode::FORBIDDEN,
        (Some("RATE_LIMITED" | "RATE_LIMIT"), _) => StatusCode::TOO_MANY_REQUESTS,
        // "Something went wrong while executing your query": GitHub's own trouble has neither.
        (None, None) => StatusCode::BAD_GATEWAY,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_graphql_means_what_a_status_does() {
        let status = |json: &str| status_of(&serde_json::from_str(json).unwrap()).as_u16();
        assert_eq!(status(r#"{"type":"STALE_DATA","message":"Expected branch to point to \"a\""}"#), 409);
        assert_eq!(status(r#"{"type":"NOT_FOUND","path":["repository"],"message":"Could not resolve"}"#), 404);
        assert_eq!(status(r#"{"type":"FORBIDDEN","message":"Resource not accessible by integration"}"#), 403);
        assert_eq!(status(r#"{"type":"RATE_LIMITED","message":"API rate limit exceeded"}"#), 429);
        assert_eq!(status(r#"{"message":"Something went wrong while executing your query."}"#), 502);
        assert_eq!(status(r#"{"message":"Field 'x' doesn't exist","extensions":{"code":"undefinedField"}}"#), 422);
        assert_eq!(
            status(r#"{"type":"UNPROCESSABLE","message":"A path was requested for deletion which does not exist"}"#),
            422
        );
    }
}
