//! A service's deploy hook: an address that starts a deploy when it is asked, of the commit in `ref`. The address is the secret.

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::Hook;
use super::api::{plain, wait};
use crate::target::TargetError;

pub(super) fn checked(address: SecretString, variable: &'static str) -> Result<Hook, String> {
    let fits =
        Url::parse(address.expose_secret()).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if fits {
        Ok(Hook { address, variable })
    } else {
        Err(format!("{variable} must be the https:// address of a deploy hook"))
    }
}

/// Calls it once. When it may have been heard although nothing came back, that counts as done: a hook cannot be looked up, and the
/// version endpoint will tell. What was surely not heard is an error.
pub(super) async fn call(client: &reqwest::Client, hook: &Hook, commit: &str) -> Result<(), TargetError> {
    let wrong = || TargetError::Refused(format!("{} is no address", hook.variable));
    let mut url = Url::parse(hook.address.expose_secret()).map_err(|_| wrong())?;
    url.query_pairs_mut().append_pair("ref", commit);
    let said = |what: &str| format!("the deploy hook {} {what}", hook.variable);
    let answer = match client.post(url).send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Err(TargetError::Unavailable(said(plain(&error)))),
        Err(error) => {
            tracing::warn!(hook = hook.variable, "the deploy hook {}; whether it was heard will show", plain(&error));
            return Ok(());
        }
    };
    let status = answer.status();
    match status.as_u16() {
        200..300 => Ok(()),
        429 => Err(TargetError::RateLimited { after: wait(&answer), why: said("takes no more requests for now") }),
        500.. | 408 => Err(TargetError::Unavailable(said(&format!("answers {status}")))),
        _ => Err(TargetError::Refused(said(&format!(
            "answers {status}; regenerate it in Render's dashboard if it is wrong"
        )))),
    }
}
