//! What a side answers about itself: its commit on `/api/health`, and whether it is ready on `/readyz`.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::Running;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 64 << 10;

/// A client for a side: it goes where it is told and nowhere else.
pub(super) fn client() -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(|error| format!("there is no client for HTTP: {error}"))
}

#[derive(Deserialize)]
struct Health {
    commit: Option<String>,
}

/// Asks the side at this address.
pub(super) async fn running(client: &reqwest::Client, base: &Url) -> Running {
    let commit = match get(client, base, "/api/health").await {
        Ok((200, body)) => serde_json::from_slice(&body)
            .map(|health: Health| health.commit)
            .map_err(|_| "/api/health answers no JSON with a commit".to_owned()),
        Ok((status, _)) => Err(format!("/api/health answers {status}")),
        Err(why) => Err(why),
    };
    let ready = match get(client, base, "/readyz").await {
        Ok((200, _)) => Ok(()),
        Ok((status, _)) => Err(format!("/readyz answers {status}")),
        Err(why) => Err(why),
    };
    let reason = match (&commit, &ready) {
        (Ok(Some(_)), Ok(())) => None,
        (Err(why), _) | (_, Err(why)) => Some(why.clone()),
        (Ok(None), Ok(())) => Some("/api/health does not say its commit".to_owned()),
    };
    Running { commit: commit.ok().flatten(), ready: ready.is_ok(), reason }
}

async fn get(client: &reqwest::Client, base: &Url, path: &str) -> Result<(u16, Vec<u8>), String> {
    let mut address = base.clone();
    address.set_path(path);
    address.set_query(None);
    // The address may be one that only insiders know, so that errors tell of the path alone.
    let plain = |error: reqwest::Error| {
        let what = if error.is_timeout() {
            "does not answer in time"
        } else if error.is_connect() {
            "cannot be reached"
        } else {
            "gives a broken answer"
        };
        format!("{path} {what}")
    };
    let mut answer = client.get(address).send().await.map_err(plain)?;
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(plain)? {
        body.extend_from_slice(part.get(..part.len().min(MAX_ANSWER - body.len())).unwrap_or_default());
        if body.len() == MAX_ANSWER {
            break;
        }
    }
    Ok((answer.status().as_u16(), body))
}
