//! The analysis' own requests: the same to both sides, in turns, so that whatever else the machine does meets both alike.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use url::Url;

use super::template::Probe;
use crate::target::Side;

/// Requests under way at once; more are not sent until one of them has ended.
const MOST_AT_ONCE: usize = 32;
/// Kinds of faults that are told apart.
const MOST_FAULTS: usize = 10;
/// Bytes of an answer that are read.
const MAX_ANSWER: usize = 1 << 20;

/// What one side answered in one interval.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    pub asked: u64,
    /// Without an answer, or with one of 400 or above.
    pub failed: u64,
    /// How long the answers took, and those that never came in time.
    pub seconds: Vec<f64>,
    /// How often what went wrong, in words.
    pub faults: BTreeMap<String, u64>,
}

/// How one request went.
struct Outcome {
    side: Side,
    seconds: Option<f64>,
    fault: Option<String>,
}

/// A client for daemons that are judged: it goes where it is told and nowhere else.
///
/// # Errors
/// When there is none to be had.
pub fn client(timeout: Duration) -> Result<reqwest::Client, String> {
    let builder = reqwest::Client::builder().timeout(timeout).no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(|error| format!("there is no client for HTTP: {error}"))
}

/// Asks for so long. The requests of the last moment are waited for.
pub async fn run(
    probe: &Probe,
    client: &reqwest::Client,
    sides: &[(Side, Url)],
    time: Duration,
) -> BTreeMap<Side, Answers> {
    let mut answers: BTreeMap<Side, Answers> = sides.iter().map(|(side, _)| (*side, Answers::default())).collect();
    let mut under_way = JoinSet::new();
    let mut tick = interval(Duration::from_secs_f64(
        1.0 / (probe.rate * f64::from(u8::try_from(sides.len()).unwrap_or(1)).max(1.0)),
    ));
    // What was missed while too many were under way is not made up for with a burst.
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = Instant::now() + time;
    let mut round = Vec::new();
    for path in &probe.paths {
        round.extend(sides.iter().map(|(side, base)| (*side, address(base, path))));
    }
    for (side, address) in round.into_iter().cycle() {
        tokio::select! {
            _ = tick.tick() => {}
            () = tokio::time::sleep_until(end) => break,
        }
        while under_way.len() >= MOST_AT_ONCE {
            take(&mut answers, under_way.join_next().await);
        }
        under_way.spawn(ask(client.clone(), side, address, probe.timeout));
    }
    while let Some(ended) = under_way.join_next().await {
        take(&mut answers, Some(ended));
    }
    answers
}

fn take(answers: &mut BTreeMap<Side, Answers>, ended: Option<Result<Outcome, tokio::task::JoinError>>) {
    // A task that was lost has asked nothing.
    let Some(Ok(outcome)) = ended else { return };
    let answers = answers.entry(outcome.side).or_default();
    answers.asked += 1;
    answers.seconds.extend(outcome.seconds);
    if let Some(fault) = outcome.fault {
        answers.failed += 1;
        if answers.faults.len() < MOST_FAULTS || answers.faults.contains_key(&fault) {
            *answers.faults.entry(fault).or_default() += 1;
        }
    }
}

async fn ask(client: reqwest::Client, side: Side, address: Url, timeout: Duration) -> Outcome {
    let begun = Instant::now();
    let whole = async {
        let mut answer = client.get(address).send().await?;
        let status = answer.status();
        let mut read = 0;
        while let Some(part) = answer.chunk().await? {
            read += part.len();
            if read > MAX_ANSWER {
                break;
            }
        }
        Ok::<_, reqwest::Error>(status)
    };
    let answered = tokio::time::timeout(timeout, whole).await;
    let took = begun.elapsed().as_secs_f64();
    let (seconds, fault) = match answered {
        Ok(Ok(status)) if status.as_u16() < 400 => (Some(took), None),
        Ok(Ok(status)) => (Some(took), Some(format!("status {}", status.as_u16()))),
        // It was as slow as it may be, at least.
        Err(_) => (Some(timeout.as_secs_f64()), Some("no answer in time".to_owned())),
        Ok(Err(error)) if error.is_timeout() => (Some(took), Some("no answer in time".to_owned())),
        Ok(Err(error)) if error.is_connect() => (None, Some("no connection".to_owned())),
        // A refusal is fast, which makes nobody fast.
        Ok(Err(_)) => (None, Some("a broken answer".to_owned())),
    };
    Outcome { side, seconds, fault }
}

/// The path at this address, whatever path the address had.
pub(super) fn address(base: &Url, path: &str) -> Url {
    let mut address = base.clone();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    address.set_path(path);
    address.set_query(query);
    address.set_fragment(None);
    address
}
