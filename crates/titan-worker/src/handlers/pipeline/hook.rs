//! A deploy hook: somebody else's service is told that there is something new. Its address is a secret, so that it is the worker's
//! environment that holds it, and a project only its name.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::json;
use titan_core::pipelines::Order;

use crate::handler::Work;
use crate::workshop::Workshop;
use crate::workshop::run::Trouble;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Calls it. When the answer is lost it is called again, with the same key.
pub(super) async fn call(workshop: &Workshop, work: &Work, order: &Order, commit: &str) -> Result<String, Trouble> {
    let name = order.hook.as_deref().unwrap_or_default();
    let address = workshop.hook(name).ok_or_else(|| {
        let variable = format!("TITAN_HOOK_{name}");
        Trouble::Failed(format!("{variable} is not set where the worker runs; it names the address of the deploy hook"))
    })?;
    let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| Trouble::Passing(plain(&error)))?;
    let body = json!({
        "project_id": work.started.project_id, "run_id": work.fence.run_id, "commit": commit, "template": order.template,
    });
    let key = work.fence.run_id.to_string();
    let asked = client.post(address.expose_secret()).header("idempotency-key", key).json(&body).send();
    let answer = tokio::select! {
        answer = asked => answer.map_err(|error| Trouble::Passing(format!("the deploy hook {name} does not answer: {}", plain(&error))))?,
        () = work.stop.requested() => return Err(Trouble::Stopped),
    };
    let status = answer.status();
    if status.is_success() {
        Ok(format!("the deploy hook {name} took it"))
    } else if status.is_server_error() || status.as_u16() == 429 {
        Err(Trouble::Passing(format!("the deploy hook {name} answers {status}")))
    } else {
        Err(Trouble::Failed(format!("the deploy hook {name} answers {status}")))
    }
}

/// Without the address.
fn plain(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "it takes too long"
    } else if error.is_connect() {
        "no connection"
    } else {
        "a broken answer"
    };
    what.to_owned()
}
