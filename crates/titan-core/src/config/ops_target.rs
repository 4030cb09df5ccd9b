//! The settings of where a change to Titan's own code is rolled out: the target, the canary, and what needs nobody's yes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::{ConfigError, Vars, wrong};
use crate::ops::Risk;

const MINUTE_MS: u64 = 60_000;

/// What follows the pull request.
#[derive(Debug, Clone)]
pub struct Rollouts {
    /// The riskiest change that comes to a pull request without a yes; none: each asks.
    pub auto_pull: Option<Risk>,
    /// Whether a change of low risk whose canary did well is merged without a yes.
    pub auto_merge: bool,
    /// Where it is deployed to; none: nowhere, and the rollout ends with the merge.
    pub target: Option<TargetSettings>,
    /// A file with the analysis' template; none: the shipped one.
    pub template: Option<PathBuf>,
    /// How long a deployment may take until its commit answers.
    pub deploy_timeout: Duration,
}

#[derive(Debug, Clone)]
pub enum TargetSettings {
    Local(LocalSettings),
    Render(RenderSettings),
}

/// Two daemons on this machine.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// None: in the data directory.
    pub folder: Option<PathBuf>,
    /// Where production listens; none: a free port.
    pub bind: Option<SocketAddr>,
    /// The variables of production's daemons, as lines `NAME=value`.
    pub env: PathBuf,
    /// Those of the canary's; none: production's.
    pub canary_env: Option<PathBuf>,
    /// Where the build leaves `titan-api` and `titan-worker`, seen from the repository's root.
    pub programs: PathBuf,
}

#[derive(Debug, Clone)]
pub struct RenderSettings {
    pub access: RenderAccess,
    /// Where production answers.
    pub address: Option<Url>,
}

#[derive(Debug, Clone)]
pub enum RenderAccess {
    Key { key: SecretString, api_url: Option<Url>, service_api: String, service_worker: String },
    Hooks { api: SecretString, worker: SecretString },
}

#[derive(Clone, Copy)]
enum Kind {
    Local,
    Render,
    None,
}

impl Rollouts {
    pub(super) fn of(vars: &Vars<'_>) -> Result<Self, ConfigError> {
        let risks =
            [("none", None), ("low", Some(Risk::Low)), ("medium", Some(Risk::Medium)), ("high", Some(Risk::High))];
        Ok(Rollouts {
            auto_pull: vars.choice("TITAN_OPS_AUTO_PR", &risks)?.unwrap_or(Some(Risk::Low)),
            auto_merge: vars.choice("TITAN_OPS_MERGE", &[("approval", false), ("auto", true)])?.unwrap_or(false),
            target: target(vars)?,
            template: vars.text("TITAN_OPS_CANARY").map(PathBuf::from),
            deploy_timeout: vars
                .duration("TITAN_OPS_DEPLOY_TIMEOUT", 1_000, 240 * MINUTE_MS)?
                .unwrap_or(Duration::from_secs(30 * 60)),
        })
    }
}

/// Render needs no word: its variables are the usual ones of those who use it.
fn target(vars: &Vars<'_>) -> Result<Option<TargetSettings>, ConfigError> {
    let kinds = [("local", Kind::Local), ("render", Kind::Render), ("none", Kind::None)];
    let is_render = vars.text("RENDER_API_KEY").is_some() || vars.text("RENDER_DEPLOY_HOOK_API").is_some();
    Ok(match vars.choice("TITAN_OPS_TARGET", &kinds)? {
        Some(Kind::Local) => Some(TargetSettings::Local(local(vars)?)),
        Some(Kind::Render) => Some(TargetSettings::Render(render(vars)?)),
        None if is_render => Some(TargetSettings::Render(render(vars)?)),
        Some(Kind::None) | None => None,
    })
}

fn local(vars: &Vars<'_>) -> Result<LocalSettings, ConfigError> {
    const ENV: &str = "TITAN_OPS_LOCAL_ENV";
    const BIND: &str = "TITAN_OPS_LOCAL_BIND";
    const PROGRAMS: &str = "TITAN_OPS_LOCAL_PROGRAMS";
    let bind = vars.text(BIND).map(|given| {
        let message = || format!("must be an address with a port such as 127.0.0.1:3000, and is {given:?}");
        given.parse().map_err(|_| wrong(BIND, message()))
    });
    let programs = PathBuf::from(vars.text(PROGRAMS).unwrap_or("target/release"));
    let is_inside = programs.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !is_inside {
        return Err(wrong(PROGRAMS, "must be a folder inside of the repository, such as target/release"));
    }
    Ok(LocalSettings {
        folder: vars.text("TITAN_OPS_LOCAL_DIR").map(PathBuf::from),
        bind: bind.transpose()?,
        env: vars.text(ENV).map(PathBuf::from).ok_or_else(|| {
            wrong(ENV, "is needed with TITAN_OPS_TARGET=local: a file with the variables of production's daemons")
        })?,
        canary_env: vars.text("TITAN_OPS_LOCAL_CANARY_ENV").map(PathBuf::from),
        programs,
    })
}

fn render(vars: &Vars<'_>) -> Result<RenderSettings, ConfigError> {
    let needed = |name: &'static str, with: &str| wrong(name, format!("is needed with {with}"));
    let access = match (vars.secret("RENDER_API_KEY"), vars.secret("RENDER_DEPLOY_HOOK_API")) {
        (Some(key), _) => {
            let service = |name: &'static str| {
                vars.text(name)
                    .map(str::to_owned)
                    .ok_or_else(|| needed(name, "RENDER_API_KEY: the service's id, srv-..."))
            };
            RenderAccess::Key {
                key,
                api_url: vars.http_url("RENDER_API_URL")?,
                service_api: service("RENDER_SERVICE_API")?,
                service_worker: service("RENDER_SERVICE_WORKER")?,
            }
        }
        (None, Some(api)) => RenderAccess::Hooks {
            api,
            worker: vars
                .secret("RENDER_DEPLOY_HOOK_WORKER")
                .ok_or_else(|| needed("RENDER_DEPLOY_HOOK_WORKER", "RENDER_DEPLOY_HOOK_API"))?,
        },
        (None, None) => {
            return Err(needed("RENDER_API_KEY", "TITAN_OPS_TARGET=render, or RENDER_DEPLOY_HOOK_API and _WORKER"));
        }
    };
    let address = vars.http_url("TITAN_OPS_RENDER_URL")?;
    if address.is_none() && matches!(access, RenderAccess::Hooks { .. }) {
        return Err(needed("TITAN_OPS_RENDER_URL", "deploy hooks, which tell nothing: the address of production"));
    }
    Ok(RenderSettings { access, address })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Rollouts, ConfigError> {
        let map: HashMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Rollouts::of(&Vars(&map))
    }

    #[test]
    fn by_default_low_risk_comes_to_a_pull_request_and_nothing_is_merged_by_itself() {
        let rollouts = of(&[]).unwrap();
        assert_eq!(
            (rollouts.auto_pull, rollouts.auto_merge, rollouts.target.is_none()),
            (Some(Risk::Low), false, true)
        );
        assert_eq!(of(&[("TITAN_OPS_AUTO_PR", "none")]).unwrap().auto_pull, None);
    }

    #[test]
    fn the_key_of_render_is_enough_to_mean_it() {
        let pairs = [("RENDER_API_KEY", "k"), ("RENDER_SERVICE_API", "srv-a"), ("RENDER_SERVICE_WORKER", "srv-b")];
        assert!(matches!(of(&pairs).unwrap().target, Some(TargetSettings::Render(_))));
        let off: Vec<_> = pairs.into_iter().chain([("TITAN_OPS_TARGET", "none")]).collect();
        assert!(of(&off).unwrap().target.is_none());
    }

    #[test]
    fn what_is_missing_is_named() {
        let hooks = [("RENDER_DEPLOY_HOOK_API", "https://h/a"), ("RENDER_DEPLOY_HOOK_WORKER", "https://h/b")];
        for (pairs, variable) in [
            (&[("TITAN_OPS_TARGET", "heroku")][..], "TITAN_OPS_TARGET"),
            (&[("TITAN_OPS_TARGET", "local")], "TITAN_OPS_LOCAL_ENV"),
            (&[("TITAN_OPS_TARGET", "render")], "RENDER_API_KEY"),
            (&[("RENDER_API_KEY", "k")], "RENDER_SERVICE_API"),
            (&hooks[..1], "RENDER_DEPLOY_HOOK_WORKER"),
            (&hooks, "TITAN_OPS_RENDER_URL"),
            (
                &[("TITAN_OPS_TARGET", "local"), ("TITAN_OPS_LOCAL_ENV", "e"), ("TITAN_OPS_LOCAL_PROGRAMS", "../x")],
                "TITAN_OPS_LOCAL_PROGRAMS",
            ),
            (
                &[("TITAN_OPS_TARGET", "local"), ("TITAN_OPS_LOCAL_ENV", "e"), ("TITAN_OPS_LOCAL_BIND", "here")],
                "TITAN_OPS_LOCAL_BIND",
            ),
        ] {
            assert_eq!(of(pairs).unwrap_err().variable, variable, "{pairs:?}");
        }
    }
}
