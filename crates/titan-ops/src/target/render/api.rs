//! Render's REST API, as far as deploys need it: `POST` and `GET /v1/services/{id}/deploys`, one deploy, and the service's address.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{MOST_WAIT, WAIT};
use crate::target::{DeploymentState, TargetError};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Deploys that are looked through for one of a commit, the newest first.
const LOOK_BACK: usize = 50;
const MAX_ANSWER: usize = 4 << 20;
/// Render's clock may be behind ours by as much, and a deploy must not look older than the order that made it.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(60);

#[derive(Debug)]
pub(super) struct Api {
    client: reqwest::Client,
    key: SecretString,
    url: Url,
}

/// A deploy of one service.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deploy {
    pub(super) id: String,
    commit: Option<Commit>,
    status: String,
    pub(super) created_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Commit {
    id: String,
}

/// An entry of a list, with the cursor that is not needed here.
#[derive(Deserialize)]
struct Listed {
    deploy: Deploy,
}

pub(super) fn client() -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(|error| format!("there is no client for HTTP: {error}"))
}

impl Deploy {
    pub(super) fn commit_id(&self) -> Option<&str> {
        self.commit.as_ref().map(|commit| commit.id.as_str())
    }

    /// How it stands, and that in words.
    pub(super) fn state(&self) -> (DeploymentState, String) {
        let (state, words) = match self.status.as_str() {
            "created" | "queued" => (DeploymentState::UnderWay, "it waits for its turn"),
            "build_in_progress" => (DeploymentState::UnderWay, "it is being built"),
            "pre_deploy_in_progress" => (DeploymentState::UnderWay, "its pre-deploy command runs"),
            "update_in_progress" => (DeploymentState::UnderWay, "it is being started"),
            "live" => (DeploymentState::Live, "it is live"),
            "deactivated" => (DeploymentState::Failed, "another deploy has taken its place"),
            "build_failed" => (DeploymentState::Failed, "the build failed; its log is in Render's dashboard"),
            "pre_deploy_failed" => {
                (DeploymentState::Failed, "the pre-deploy command failed; its log is in Render's dashboard")
            }
            "update_failed" => {
                (DeploymentState::Failed, "it was built, but did not start; its log is in Render's dashboard")
            }
            "canceled" => (DeploymentState::Failed, "somebody canceled it, or a newer deploy did"),
            // A word that came later. Whoever waits has a deadline.
            other => return (DeploymentState::UnderWay, format!("Render calls it {:?}", shortened(other))),
        };
        (state, format!("{words} ({})", self.id))
    }
}

impl Api {
    pub(super) fn new(key: SecretString, url: Url) -> Result<Self, String> {
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!("RENDER_API_URL must be an https:// address such as {}", super::API_URL));
        }
        Ok(Api { client: client()?, key, url })
    }

    /// The newest deploy of this commit since then.
    pub(super) async fn newest(
        &self,
        service: &str,
        commit: &str,
        since: DateTime<Utc>,
    ) -> Result<Option<Deploy>, TargetError> {
        let since = since - CLOCKS_DIFFER;
        let query =
            [("limit", LOOK_BACK.to_string()), ("createdAfter", since.format("%Y-%m-%dT%H:%M:%SZ").to_string())];
        let answer = self.ask(Method::GET, &["services", service, "deploys"], &query, None).await?;
        let listed: Vec<Listed> = read(answer).await?;
        let of_it =
            |deploy: &Deploy| deploy.commit_id() == Some(commit) && deploy.created_at.is_none_or(|at| at >= since);
        // The newest stands first, which the documentation does not promise.
        Ok(listed.into_iter().map(|listed| listed.deploy).filter(of_it).max_by_key(|deploy| deploy.created_at))
    }

    /// Asks for a deploy of this commit. Not repeated here: who does not hear the answer looks before asking again.
    pub(super) async fn deploy(
        &self,
        service: &str,
        commit: &str,
        since: DateTime<Utc>,
    ) -> Result<Deploy, TargetError> {
        let body = json!({"commitId": commit});
        let answer = self.ask(Method::POST, &["services", service, "deploys"], &[], Some(&body)).await?;
        // 202 says that it was queued, and may say no more.
        if answer.status() == StatusCode::ACCEPTED {
            let body = body_of(answer).await?;
            if let Ok(deploy) = serde_json::from_slice(&body) {
                return Ok(deploy);
            }
            let found = self.newest(service, commit, since).await?;
            return found.ok_or_else(|| {
                TargetError::Unavailable("Render has queued the deploy and does not list it yet".to_owned())
            });
        }
        read(answer).await
    }

    pub(super) async fn get(&self, service: &str, deploy: &str) -> Result<Deploy, TargetError> {
        read(self.ask(Method::GET, &["services", service, "deploys", deploy], &[], None).await?).await
    }

    /// Where a service answers.
    pub(super) async fn address(&self, service: &str) -> Result<Url, TargetError> {
        let about: Value = read(self.ask(Method::GET, &["services", service], &[], None).await?).await?;
        let url = about.pointer("/serviceDetails/url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
        url.ok_or_else(|| {
            TargetError::Refused(format!("Render knows no address of {service}: it must be a web service"))
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Response, TargetError> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        for (name, value) in query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request =
            self.client.request(method, url).bearer_auth(self.key.expose_secret()).header("accept", "application/json");
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .map_err(|error| TargetError::Unavailable(format!("Render's API {}", plain(&error))))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        Err(refusal(answer).await.unwrap_or_else(|| TargetError::Unavailable(format!("Render's API answers {status}"))))
    }
}

/// What an answer that is no success means. None for one of a server in trouble.
async fn refusal(answer: Response) -> Option<TargetError> {
    let status = answer.status();
    if status == StatusCode::TOO_MANY_REQUESTS {
        let after = wait(&answer);
        return Some(TargetError::RateLimited {
            after,
            why: format!("Render's API takes no more requests for {} s", after.as_secs()),
        });
    }
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return None;
    }
    let said = body_of(answer).await.ok().and_then(|body| serde_json::from_slice::<Value>(&body).ok());
    let said = said.as_ref().and_then(|said| said.get("message")).and_then(Value::as_str).map(shortened);
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    Some(TargetError::Refused(match status.as_u16() {
        401 => "Render's API does not know the key in RENDER_API_KEY".to_owned(),
        403 => "the key in RENDER_API_KEY may not do this".to_owned(),
        404 => format!("Render's API knows no such service or deploy{said}"),
        other => format!("Render's API answers {other}{said}"),
    }))
}

/// As `Retry-After` says, in seconds or as a date, or `Ratelimit-Reset`, which is documented as a time and shown as seconds.
pub(super) fn wait(answer: &Response) -> Duration {
    let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let until = |at: i64| at - Utc::now().timestamp();
    let retry = header("retry-after").and_then(|text| {
        let date = || DateTime::parse_from_rfc2822(text).ok().map(|at| until(at.timestamp()));
        text.parse::<i64>().ok().or_else(date)
    });
    let reset =
        || header("ratelimit-reset")?.parse::<i64>().ok().map(|at| if at > 1_000_000_000 { until(at) } else { at });
    let seconds = retry.or_else(reset);
    // Zero would be asked again at once.
    seconds.map_or(WAIT, |seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(1).max(1))).min(MOST_WAIT)
}

async fn read<T: serde::de::DeserializeOwned>(answer: Response) -> Result<T, TargetError> {
    let body = body_of(answer).await?;
    serde_json::from_slice(&body)
        .map_err(|_| TargetError::Unavailable("Render's API answers what is not documented".to_owned()))
}

async fn body_of(mut answer: Response) -> Result<Vec<u8>, TargetError> {
    let broken = |error: reqwest::Error| TargetError::Unavailable(format!("Render's API {}", plain(&error)));
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(broken)? {
        if body.len() + part.len() > MAX_ANSWER {
            return Err(TargetError::Unavailable(format!("Render's API answers more than {MAX_ANSWER} bytes")));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// Without the address, which may be a secret.
pub(super) fn plain(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "does not answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "gives a broken answer"
    }
}

fn shortened(said: &str) -> String {
    titan_core::redact::redact(&titan_core::error::one_line(&said.chars().take(300).collect::<String>()))
}
