//! Requests to GitHub as whoever Titan is there: somebody's token, or an app that gets tokens for its installation.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use octocrab::auth::{AppAuth, EncodingKey};
use octocrab::models::{AppId, InstallationId};
use octocrab::{AuthState, FromResponse, Octocrab, OctocrabBuilder};
use reqwest::Method;
use reqwest::header::IF_NONE_MATCH;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::answers::Installation;
use super::transport::Transport;
use crate::forge::ForgeError;
use crate::forge::failure::{Failed, Failures};
use crate::forge::http::Http;
use crate::forge::settings::{Access, App, GitHubSettings, RepoName};

/// Items of a page, the most that GitHub gives, and pages of a list.
pub(super) const PAGE: usize = 100;
pub(super) const MAX_PAGES: usize = 10;

/// A fetch may begin late and take long: git's token must live as long.
const GIT_TOKEN_MINUTES: i64 = 10;

pub(super) type Response = http::Response<BoxBody<Bytes, octocrab::Error>>;

#[derive(Debug)]
pub(super) struct Client {
    repo: RepoName,
    access: Access,
    transport: Transport,
    pub(super) failures: Failures,
    /// Made at the first request: octocrab starts a task, and so needs a runtime.
    ready: OnceCell<Octocrab>,
}

/// One request, before it is sent.
pub(super) struct Ask<'a, B: Serialize + ?Sized> {
    pub(super) method: Method,
    pub(super) route: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    /// A mark of what is known already.
    pub(super) known: Option<&'a str>,
    pub(super) body: Option<&'a B>,
}

impl Client {
    pub(super) fn new(settings: &GitHubSettings) -> Result<Self, ForgeError> {
        let access = settings.access.clone();
        let failures = Failures::new("GitHub", "GITHUB_REPO", access.variables(), access.secrets());
        let http = Http::new(&settings.api, settings.timeouts, failures.clone())?;
        let transport = Transport::new(http, &settings.api);
        Ok(Self { repo: settings.repo.clone(), access, transport, failures, ready: OnceCell::new() })
    }

    pub(super) async fn get<R: DeserializeOwned>(&self, route: &str, query: &[(&str, &str)]) -> Result<R, Failed> {
        let ask = Ask { method: Method::GET, route, query, known: None, body: None::<&()> };
        self.read(&ask.asked(), self.ask(&ask).await?).await
    }

    pub(super) async fn send<B, R>(&self, method: Method, route: &str, body: &B) -> Result<R, Failed>
    where
        B: Serialize + ?Sized + Sync,
        R: DeserializeOwned,
    {
        let ask = Ask { method, route, query: &[], known: None, body: Some(body) };
        self.read(&ask.asked(), self.ask(&ask).await?).await
    }

    pub(super) async fn delete(&self, route: &str) -> Result<(), Failed> {
        let ask = Ask { method: Method::DELETE, route, query: &[], known: None, body: None::<&()> };
        self.ask(&ask).await.map(drop)
    }

    /// Everything of a list. `items` takes it from a page; a list that does not end is an error, as it could lack what matters.
    pub(super) async fn all<P: DeserializeOwned, T>(
        &self,
        route: &str,
        query: &[(&str, &str)],
        items: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, Failed> {
        let mut all = Vec::new();
        for page in 1..=MAX_PAGES {
            let (page, size) = (page.to_string(), PAGE.to_string());
            let query = [query, &[("per_page", size.as_str()), ("page", page.as_str())]].concat();
            let read = items(self.get(route, &query).await?);
            let was_last = read.len() < PAGE;
            all.extend(read);
            if was_last {
                return Ok(all);
            }
        }
        let why = format!("{route} lists more than {} items, which is more than Titan reads", MAX_PAGES * PAGE);
        Err(ForgeError::Refused(why).into())
    }

    /// Any request. Every answer but one of success is an error, also "not changed".
    pub(super) async fn ask<B: Serialize + ?Sized>(&self, ask: &Ask<'_, B>) -> Result<Response, Failed> {
        let crab = self.ready().await?;
        self.ask_as(crab, ask).await
    }

    /// What GitHub allows the app to do with this repository.
    pub(super) async fn installation(&self) -> Result<Installation, Failed> {
        let Access::App(app) = &self.access else {
            return Err(ForgeError::Refused("a token has no installation; only an app has one".to_owned()).into());
        };
        let route = format!("/repos/{}/installation", self.repo);
        let ask = Ask { method: Method::GET, route: &route, query: &[], known: None, body: None::<&()> };
        self.read(&ask.asked(), self.ask_as(&self.as_app(app)?, &ask).await?).await
    }

    /// What git has to send along.
    pub(super) async fn git_header(&self) -> Result<SecretString, ForgeError> {
        let token = match &self.access {
            Access::Token(token) => token.clone(),
            Access::App(_) => {
                let lasting = chrono::Duration::minutes(GIT_TOKEN_MINUTES);
                let token = self.ready().await?.installation_token_with_buffer(lasting).await;
                token.map_err(|error| self.failed("POST /app/installations/access_tokens", error))?
            }
        };
        let pair = STANDARD.encode(format!("x-access-token:{}", token.expose_secret()));
        Ok(SecretString::from(format!("Authorization: Basic {pair}")))
    }

    pub(super) async fn read<R: DeserializeOwned>(&self, asked: &str, response: Response) -> Result<R, Failed> {
        R::from_response(response).await.map_err(|error| self.failed(asked, error))
    }

    /// octocrab's errors in ours. Its own text holds traces of its calls.
    pub(super) fn failed(&self, asked: &str, error: octocrab::Error) -> Failed {
        use octocrab::Error;
        match error {
            Error::GitHub { source, .. } => {
                let headers = source.headers.clone().unwrap_or_default();
                self.failures.of_answer(asked, source.status_code, &headers, &words(&source))
            }
            Error::Service { source, .. } => match source.downcast::<ForgeError>() {
                Ok(error) => (*error).into(),
                Err(error) => self.failures.unreadable(asked, &error.to_string()).into(),
            },
            Error::Json { source, .. } => {
                let why = format!("{} at {}", source.inner(), source.path());
                self.failures.unreadable(asked, &why).into()
            }
            Error::JWT { .. } => {
                let why = "GITHUB_APP_PRIVATE_KEY cannot sign; it must be the app's RSA key, whole, as PEM";
                ForgeError::Denied(why.to_owned()).into()
            }
            _ => self.failures.unreadable(asked, "octocrab gave it up").into(),
        }
    }

    async fn ask_as<B: Serialize + ?Sized>(&self, crab: &Octocrab, ask: &Ask<'_, B>) -> Result<Response, Failed> {
        let asked = ask.asked();
        let failed = |error| self.failed(&asked, error);
        let uri = match in_query(ask.query) {
            query if query.is_empty() => ask.route.to_owned(),
            query => format!("{}?{query}", ask.route),
        };
        let mut request = http::request::Builder::new().method(ask.method.clone()).uri(uri);
        if let Some(known) = ask.known {
            request = request.header(IF_NONE_MATCH, known);
        }
        let request = crab.build_request(request, ask.body).map_err(failed)?;
        let response = crab.execute(request).await.map_err(failed)?;
        octocrab::map_github_error(response).await.map_err(failed)
    }

    async fn ready(&self) -> Result<&Octocrab, Failed> {
        self.ready.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Octocrab, Failed> {
        match &self.access {
            Access::Token(token) => Ok(self.with(AuthState::AccessToken { token: token.clone() })),
            Access::App(app) => {
                let id = match app.installation {
                    Some(id) => id,
                    None => self.installation().await?.id,
                };
                let as_app = self.as_app(app)?;
                // No more than what is needed, should the token ever get out.
                let installed =
                    as_app.installation_builder(InstallationId(id)).repositories(vec![self.repo.name.clone()]);
                installed.build().map_err(|error| self.failed("POST /app/installations/access_tokens", error))
            }
        }
    }

    fn as_app(&self, app: &App) -> Result<Octocrab, Failed> {
        let key = EncodingKey::from_rsa_pem(app.private_key.expose_secret().as_bytes());
        let key = key.map_err(|_| ForgeError::Denied("GITHUB_APP_PRIVATE_KEY is no RSA key in PEM".to_owned()))?;
        Ok(self.with(AuthState::App(AppAuth { app_id: AppId(app.id), key })))
    }

    fn with(&self, auth: AuthState) -> Octocrab {
        match OctocrabBuilder::new_empty().with_service(self.transport.clone()).with_auth(auth).build() {
            Ok(crab) => crab,
            Err(never) => match never {},
        }
    }
}

impl<B: Serialize + ?Sized> Ask<'_, B> {
    /// For people.
    pub(super) fn asked(&self) -> String {
        format!("{} {}", self.method, self.route)
    }
}

/// Everything that GitHub says of an error: the message alone is often "Validation Failed".
fn words(error: &octocrab::GitHubError) -> String {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        value => ["message", "field", "code"]
            .iter()
            .filter_map(|name| value.get(name)?.as_str())
            .collect::<Vec<_>>()
            .join(" "),
    };
    let details: Vec<_> = error.errors.iter().flatten().map(text).filter(|text| !text.is_empty()).collect();
    // A page for browsers, of something between here and GitHub.
    let message = if error.message.trim_start().starts_with('<') {
        error.status_code.canonical_reason().unwrap_or("no reason given")
    } else {
        &error.message
    };
    if details.is_empty() { message.to_owned() } else { format!("{message}: {}", details.join("; ")) }
}

fn in_query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
