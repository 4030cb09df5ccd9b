//! Render (render.com): the API's and the worker's service, deployed together as one.
//!
//! With a key it is Render's API: a deploy names its commit, and can be looked up by it, so that an order whose answer was lost is
//! found again. Without one there are the services' deploy hooks, which start a deploy and tell nothing of it: how it stands is then
//! what the version endpoint says.
//!
//! A service runs one build at a time, so that a canary is the new commit in production's place.

mod api;
mod hook;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::sync::OnceCell;
use url::Url;

use super::{Deployment, DeploymentState, Order, Running, Side, Target, TargetError, answer};
use api::{Api, Deploy};

/// Where Render's API is.
pub const API_URL: &str = "https://api.render.com";

/// What joins the ids of both services' deploys to one.
const AND: char = '+';
/// What the id of a deployment by hooks begins with; its commit follows.
const HOOK: &str = "hook:";

#[derive(Debug, Clone)]
pub struct Settings {
    pub access: Access,
    /// Where production answers. With a key it is looked up when it is not given.
    pub address: Option<Url>,
}

#[derive(Debug, Clone)]
pub enum Access {
    Key {
        key: SecretString,
        api_url: Url,
        service_api: String,
        service_worker: String,
    },
    /// The addresses are secrets.
    Hooks {
        api: SecretString,
        worker: SecretString,
    },
}

#[derive(Debug)]
pub struct Render {
    access: Way,
    client: reqwest::Client,
    address: OnceCell<Url>,
}

#[derive(Debug)]
enum Way {
    Api { api: Api, services: [Service; 2] },
    Hooks { client: reqwest::Client, hooks: [Hook; 2] },
}

/// A service, and the variable that names it.
#[derive(Debug)]
struct Service {
    id: String,
    variable: &'static str,
}

#[derive(Debug)]
struct Hook {
    address: SecretString,
    variable: &'static str,
}

impl Render {
    /// # Errors
    /// What is wrong with the settings, in words that name the variable and never its value when that is a secret.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let access = match settings.access {
            Access::Key { key, api_url, service_api, service_worker } => {
                let service = |id: String, variable| {
                    let fits = id
                        .strip_prefix("srv-")
                        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
                    if fits {
                        Ok(Service { id, variable })
                    } else {
                        Err(format!("{variable} must be the id of a service such as srv-abc123, and is {id:?}"))
                    }
                };
                let services =
                    [service(service_api, "RENDER_SERVICE_API")?, service(service_worker, "RENDER_SERVICE_WORKER")?];
                Way::Api { api: Api::new(key, api_url)?, services }
            }
            Access::Hooks { api, worker } => {
                let hooks = [
                    hook::checked(api, "RENDER_DEPLOY_HOOK_API")?,
                    hook::checked(worker, "RENDER_DEPLOY_HOOK_WORKER")?,
                ];
                if settings.address.is_none() {
                    return Err(
                        "deploy hooks tell nothing, so the address of production is needed to see what it runs"
                            .to_owned(),
                    );
                }
                Way::Hooks { client: api::client()?, hooks }
            }
        };
        Ok(Render { access, client: answer::client()?, address: OnceCell::new_with(settings.address) })
    }

    async fn known_address(&self) -> Result<&Url, TargetError> {
        self.address
            .get_or_try_init(|| async {
                match &self.access {
                    Way::Api { api, services: [service, _] } => api.address(&service.id).await,
                    Way::Hooks { .. } => Err(TargetError::Refused("the address of production is not known".to_owned())),
                }
            })
            .await
    }

    /// By hooks all that can be known is what answers.
    async fn by_answer(&self, commit: &str) -> Result<Deployment, TargetError> {
        let running = answer::running(&self.client, self.known_address().await?).await;
        let live = running.ready && running.commit.as_deref() == Some(commit);
        let reason = if live {
            "the version endpoint answers it; a deploy hook tells nothing of the worker"
        } else {
            "waiting for the version endpoint: a deploy hook tells nothing"
        };
        Ok(Deployment {
            id: format!("{HOOK}{commit}"),
            commit: commit.to_owned(),
            state: if live { DeploymentState::Live } else { DeploymentState::UnderWay },
            reason: Some(reason.to_owned()),
            began_at: None,
        })
    }
}

#[async_trait]
impl Target for Render {
    fn name(&self) -> &str {
        "render"
    }

    fn side_by_side(&self) -> bool {
        false
    }

    async fn deploy(&self, order: &Order) -> Result<Deployment, TargetError> {
        let commit = checked(&order.release.commit)?;
        match &self.access {
            Way::Api { api, services } => {
                let mut deploys = Vec::new();
                // One of them may have been asked before its caller was killed.
                for service in services {
                    let made = api.newest(&service.id, commit, order.asked_at).await?;
                    deploys.push(match made {
                        Some(made) => made,
                        None => api
                            .deploy(&service.id, commit, order.asked_at)
                            .await
                            .map_err(|error| named(error, service.variable))?,
                    });
                }
                Ok(together(commit, &deploys))
            }
            Way::Hooks { client, hooks } => {
                for hook in hooks {
                    hook::call(client, hook, commit).await?;
                }
                self.by_answer(commit).await
            }
        }
    }

    async fn find(&self, order: &Order) -> Result<Option<Deployment>, TargetError> {
        let commit = checked(&order.release.commit)?;
        match &self.access {
            Way::Api { api, services } => {
                let mut deploys = Vec::new();
                for service in services {
                    match api.newest(&service.id, commit, order.asked_at).await? {
                        Some(made) => deploys.push(made),
                        None => return Ok(None),
                    }
                }
                Ok(Some(together(commit, &deploys)))
            }
            Way::Hooks { .. } => {
                let found = self.by_answer(commit).await?;
                Ok((found.state == DeploymentState::Live).then_some(found))
            }
        }
    }

    async fn stand(&self, _: Side, id: &str) -> Result<Deployment, TargetError> {
        if let Some(commit) = id.strip_prefix(HOOK) {
            return self.by_answer(checked(commit)?).await;
        }
        let Way::Api { api, services } = &self.access else {
            return Err(TargetError::Refused(format!("{id:?} was made with a key, which is not set any more")));
        };
        let ids: Vec<&str> = id.split(AND).collect();
        if ids.len() != services.len() {
            return Err(TargetError::Refused(format!("{id:?} is no id of a deployment of both services")));
        }
        let mut deploys = Vec::new();
        for (service, id) in services.iter().zip(ids) {
            deploys.push(api.get(&service.id, id).await?);
        }
        let commit = deploys.iter().find_map(|deploy| deploy.commit_id()).unwrap_or_default().to_owned();
        Ok(together(&commit, &deploys))
    }

    async fn running(&self, _: Side) -> Result<Running, TargetError> {
        Ok(answer::running(&self.client, self.known_address().await?).await)
    }

    fn address(&self, _: Side) -> Option<String> {
        self.address.get().map(Url::to_string)
    }

    async fn end_canary(&self) -> Result<(), TargetError> {
        Ok(())
    }
}

/// Both services as one: failed when one of them has, live when both are.
fn together(commit: &str, deploys: &[Deploy]) -> Deployment {
    let states: Vec<(DeploymentState, String)> = deploys.iter().map(Deploy::state).collect();
    let all = |wanted| states.iter().all(|(state, _)| *state == wanted);
    let state = if states.iter().any(|(state, _)| *state == DeploymentState::Failed) {
        DeploymentState::Failed
    } else if all(DeploymentState::Live) {
        DeploymentState::Live
    } else {
        DeploymentState::UnderWay
    };
    let words: Vec<String> =
        states.into_iter().zip(["API", "worker"]).map(|((_, why), name)| format!("{name}: {why}")).collect();
    Deployment {
        id: deploys.iter().map(|deploy| deploy.id.as_str()).collect::<Vec<_>>().join(&AND.to_string()),
        commit: commit.to_owned(),
        state,
        reason: Some(words.join("; ")),
        began_at: deploys.iter().filter_map(|deploy| deploy.created_at).min(),
    }
}

fn checked(commit: &str) -> Result<&str, TargetError> {
    let fits = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let wrong = || TargetError::Refused(format!("a commit must be its 40 hexadecimal digits, and is {commit:?}"));
    fits.then_some(commit).ok_or_else(wrong)
}

fn named(error: TargetError, variable: &str) -> TargetError {
    match error {
        TargetError::Unavailable(why) => TargetError::Unavailable(format!("{variable}: {why}")),
        TargetError::RateLimited { after, why } => {
            TargetError::RateLimited { after, why: format!("{variable}: {why}") }
        }
        TargetError::Refused(why) => TargetError::Refused(format!("{variable}: {why}")),
    }
}

/// How long to wait when nothing says so: deploys are limited to ten a minute for each service.
const WAIT: Duration = Duration::from_secs(60);
const MOST_WAIT: Duration = Duration::from_secs(3600);
