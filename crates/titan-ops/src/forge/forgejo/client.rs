//! Requests to Forgejo, below the repository's route.

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use crate::forge::ForgeError;
use crate::forge::failure::{Failed, Failures};
use crate::forge::http::{Answer, Http};
use crate::forge::settings::ForgejoSettings;

/// Items of a page, which a server may be set up to make smaller, and pages of a list.
pub(super) const PAGE: (&str, &str) = ("limit", "50");
const MAX_PAGES: usize = 10;

#[derive(Debug)]
pub(super) struct Client {
    http: Http,
    token: SecretString,
    /// Of the repository, without a slash at its end.
    api: String,
    /// The same for people, without the server.
    route: String,
}

impl Client {
    pub(super) fn new(settings: &ForgejoSettings) -> Result<Self, ForgeError> {
        let failures = Failures::new("Forgejo", "FORGEJO_REPO", "FORGEJO_TOKEN", vec![settings.token.clone()]);
        let http = Http::new(&settings.url, settings.timeouts, failures)?;
        let route = format!("/api/v1/repos/{}", settings.repo);
        let api = format!("{}{route}", settings.url.as_str().trim_end_matches('/'));
        Ok(Self { http, token: settings.token.clone(), api, route })
    }

    pub(super) async fn get<R: DeserializeOwned>(&self, rest: &str, query: &[(&str, &str)]) -> Result<R, Failed> {
        let answer = self.ask(Method::GET, rest, query, None).await?;
        self.read(&format!("GET {}{rest}", self.route), &answer)
    }

    pub(super) async fn send<R: DeserializeOwned>(
        &self,
        method: Method,
        rest: &str,
        body: &Value,
    ) -> Result<R, Failed> {
        let asked = format!("{method} {}{rest}", self.route);
        let answer = self.ask(method, rest, &[], Some(body)).await?;
        self.read(&asked, &answer)
    }

    /// The same where the answer says nothing.
    pub(super) async fn order(&self, method: Method, rest: &str, body: Option<&Value>) -> Result<(), Failed> {
        self.ask(method, rest, &[], body).await.map(drop)
    }

    /// The items of a list, page by page (the query says how large one is), until `enough` says so of those that are there. A list that does not end is an error, as it
    /// could lack what matters.
    pub(super) async fn list<P: DeserializeOwned, T>(
        &self,
        rest: &str,
        query: &[(&str, &str)],
        items: impl Fn(P) -> Vec<T>,
        enough: impl Fn(&[T]) -> bool,
    ) -> Result<Vec<T>, Failed> {
        let mut all = Vec::new();
        for page in 1..=MAX_PAGES {
            let page = page.to_string();
            let query = [query, &[("page", page.as_str())]].concat();
            let answer = self.ask(Method::GET, rest, &query, None).await?;
            let total =
                answer.headers.get("x-total-count").and_then(|total| total.to_str().ok()?.parse::<usize>().ok());
            let read = items(self.read(&format!("GET {}{rest}", self.route), &answer)?);
            // A page may be smaller than it was asked to be; only an empty one says that it was the last.
            let was_last = read.is_empty();
            all.extend(read);
            if was_last || total.is_some_and(|total| all.len() >= total) || enough(&all) {
                return Ok(all);
            }
        }
        let why = format!("{}{rest} has more than {MAX_PAGES} pages, which is more than Titan reads", self.route);
        Err(ForgeError::Refused(why).into())
    }

    async fn ask(
        &self,
        method: Method,
        rest: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Failed> {
        let asked = format!("{method} {}{rest}", self.route);
        let bad = |why: String| ForgeError::Refused(format!("this cannot be asked for: {why} ({asked})"));
        let mut url = Url::parse(&format!("{}{rest}", self.api)).map_err(|error| bad(error.to_string()))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut token = HeaderValue::from_str(&format!("token {}", self.token.expose_secret()))
            .map_err(|_| ForgeError::Denied("FORGEJO_TOKEN has characters that no token has".to_owned()))?;
        token.set_sensitive(true);
        let mut request = self.http.client.request(method, url).header(AUTHORIZATION, token);
        request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(body) = body {
            request = request.json(body);
        }
        let request = request.build().map_err(|error| bad(error.without_url().to_string()))?;
        let answer = self.http.send(&asked, request).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(self.http.failures.of_answer(&asked, answer.status, &answer.headers, &words(&answer)))
    }

    fn read<R: DeserializeOwned>(&self, asked: &str, answer: &Answer) -> Result<R, Failed> {
        let read = serde_json::from_slice(&answer.body);
        read.map_err(|error| self.http.failures.unreadable(asked, &error.to_string()).into())
    }
}

/// What Forgejo says of an error, unless it is a page for browsers.
fn words(answer: &Answer) -> String {
    let json = serde_json::from_slice::<Value>(&answer.body).ok();
    let said = json.as_ref().and_then(|json| json.get("message")?.as_str()).filter(|text| !text.trim().is_empty());
    said.unwrap_or_else(|| reason(answer.status)).to_owned()
}

fn reason(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("no reason given")
}
