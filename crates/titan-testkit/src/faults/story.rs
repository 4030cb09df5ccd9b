//! One run's events, read in order: the rules that a single one can break (M, F), and the calls of the model (S).

use std::collections::BTreeMap;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Run {
    pub(super) id: Uuid,
    pub(super) task_id: Uuid,
    pub(super) status: String,
    pub(super) last_seq: i64,
    pub(super) error: Option<String>,
    pub(super) content: String,
    pub(super) answer: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Event {
    pub(super) run_id: Uuid,
    seq: i64,
    at: DateTime<Utc>,
    kind: String,
    step: Option<i64>,
    data: Value,
}

/// What the events tell.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) wrong: Vec<String>,
    steps: BTreeMap<i64, Step>,
}

#[derive(Debug, Default)]
struct Step {
    attempts: i64,
    /// Workers that were lost with it, as far as is told.
    rescues: i64,
    /// Attempts that ended with another one to come.
    put_off: i64,
    /// What the last attempt has said so far.
    said: String,
    ended: Option<DateTime<Utc>>,
    completed: bool,
}

/// The step whose answer a run shows, and that asks the model.
const ANSWER: i64 = 1;

pub(super) fn read(run: &Run, events: &[Event]) -> Told {
    let mut told = Told::default();
    let mut status = "";
    for (event, expected) in events.iter().zip(1..) {
        let kind = event.kind.as_str();
        let mut wrong =
            |rule: &str, what: String| told.wrong.push(format!("{rule}: event {}, {kind}: {what}", event.seq));
        if event.seq != expected {
            wrong("M", format!("is where {expected} was to be"));
            break;
        }
        if matches!(status, "completed" | "failed" | "canceled") {
            wrong("M", format!("comes after the run was {status}"));
        }
        let next = match kind {
            "run.created" => Some(("", "queued")),
            "run.started" => Some(("queued", "running")),
            "run.completed" => Some(("running", "completed")),
            "run.failed" => Some((if status == "queued" { "queued" } else { "running" }, "failed")),
            "run.canceled" => Some((if status == "queued" { "queued" } else { "running" }, "canceled")),
            _ => None,
        };
        if let Some((from, to)) = next {
            if status != from {
                wrong("M", format!("comes while the run is {status:?}"));
            }
            status = to;
        }
        if let Some(number) = event.step {
            let before_ended = told.steps.get(&(number - 1)).is_none_or(|step| step.completed);
            let step = told.steps.entry(number).or_default();
            let attempt = event.data["attempt"].as_i64();
            if step.ended.is_some() {
                wrong("F", "comes after the end of its step".to_owned());
            }
            match kind {
                "step.started" => {
                    if attempt != Some(step.attempts + 1) || !before_ended || status != "running" {
                        wrong("M", format!("attempt {attempt:?} after {} while the run is {status:?}", step.attempts));
                    }
                    step.attempts += 1;
                    step.rescues = event.data["rescues"].as_i64().unwrap_or_default();
                    step.said.clear();
                }
                "delta" => {
                    if attempt != Some(step.attempts) {
                        wrong("F", format!("is of attempt {attempt:?}, and {} has begun", step.attempts));
                    }
                    step.said.push_str(event.data["text"].as_str().unwrap_or_default());
                }
                "step.retrying" | "step.snoozed" => step.put_off += 1,
                "step.completed" | "step.failed" | "step.canceled" => {
                    if attempt != Some(step.attempts) {
                        wrong("F", format!("is of attempt {attempt:?}, and {} has begun", step.attempts));
                    }
                    step.ended = Some(event.at);
                    step.completed = kind == "step.completed";
                }
                _ => {}
            }
        }
    }
    if events.len() as i64 != run.last_seq || status != run.status {
        let (count, last) = (events.len(), run.last_seq);
        told.wrong.push(format!("M: {count} events of {last} end at {status:?}, and the run is {:?}", run.status));
    }
    if let Some(answer) = &run.answer {
        let said = told.steps.get(&ANSWER).map(|step| step.said.as_str()).unwrap_or_default();
        if said != answer {
            told.wrong.push(format!("S: what was streamed is not the answer: {said:?} instead of {answer:?}"));
        }
    }
    told
}

/// S: the model is asked once per attempt at most, and once by each worker that was lost before it could say that it had begun;
/// and never again once its step has ended, except by `late_comers`, who have begun their attempt before that.
pub(super) fn model_calls(run: &Run, told: &Told, asked: &[SystemTime], late_comers: bool, wrong: &mut Vec<String>) {
    let Some(step) = told.steps.get(&ANSWER) else { return };
    let (calls, attempts) = (asked.len() as i64, step.attempts);
    let explained = attempts.max(1 + step.put_off + step.rescues);
    if calls > explained || step.completed && calls == 0 {
        let Step { rescues, .. } = step;
        let what = format!("S: the model was asked {calls} times in {attempts} attempts after {rescues} rescues");
        wrong.push(format!("{what} (run {})", run.id));
    }
    if let Some(ended) = step.ended
        && !late_comers
        && asked.iter().any(|at| DateTime::<Utc>::from(*at) > ended)
    {
        wrong.push(format!("S: the model was asked again after its step had ended (run {})", run.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn events(list: &[(&str, Option<i64>, Value)]) -> Vec<Event> {
        let event = |(place, (kind, step, data)): (usize, &(&str, Option<i64>, Value))| Event {
            run_id: Uuid::nil(),
            seq: place as i64 + 1,
            at: Utc::now(),
            kind: (*kind).to_owned(),
            step: *step,
            data: data.clone(),
        };
        list.iter().enumerate().map(event).collect()
    }

    fn run(last_seq: i64) -> Run {
        let (id, status) = (Uuid::nil(), "completed".to_owned());
        let answer = Some("ab".to_owned());
        Run { id, task_id: id, status, last_seq, error: None, content: String::new(), answer }
    }

    fn good() -> Vec<(&'static str, Option<i64>, Value)> {
        vec![
            ("run.created", None, json!({})),
            ("run.started", None, json!({})),
            ("step.started", Some(1), json!({"attempt": 1})),
            ("delta", Some(1), json!({"attempt": 1, "text": "x"})),
            ("step.started", Some(1), json!({"attempt": 2})),
            ("delta", Some(1), json!({"attempt": 2, "text": "ab"})),
            ("step.completed", Some(1), json!({"attempt": 2})),
            ("run.completed", None, json!({})),
        ]
    }

    fn wrong(list: &[(&str, Option<i64>, Value)]) -> Vec<String> {
        read(&run(list.len() as i64), &events(list)).wrong
    }

    #[test]
    fn a_run_with_a_second_attempt_is_in_order() {
        assert_eq!(wrong(&good()), Vec::<String>::new());
    }

    #[test]
    fn each_rule_is_noticed() {
        let mut late = good();
        late.insert(5, ("delta", Some(1), json!({"attempt": 1, "text": ""})));
        assert!(wrong(&late)[0].starts_with("F: event 6, delta: is of attempt Some(1)"), "{:?}", wrong(&late));
        let mut after = good();
        after.push(("log", None, json!({})));
        assert!(wrong(&after)[0].contains("comes after the run was completed"));
        let mut twice = good();
        twice.insert(7, ("step.completed", Some(1), json!({"attempt": 2})));
        assert!(wrong(&twice)[0].contains("after the end of its step"));
        let mut other = good();
        other[5].2 = json!({"attempt": 2, "text": "a"});
        assert!(wrong(&other)[0].starts_with("S: what was streamed is not the answer"));
        let mut gap = events(&good());
        gap.remove(3);
        assert!(read(&run(8), &gap).wrong[0].contains("is where 4 was to be"));
    }

    #[test]
    fn a_call_too_many_or_too_late_is_noticed() {
        let told = read(&run(8), &events(&good()));
        let calls = |asked: &[SystemTime]| {
            let mut wrong = Vec::new();
            model_calls(&run(8), &told, asked, false, &mut wrong);
            wrong.len()
        };
        let before = SystemTime::now() - std::time::Duration::from_secs(5);
        let after = SystemTime::now() + std::time::Duration::from_secs(5);
        assert_eq!((calls(&[before]), calls(&[before, before])), (0, 0));
        assert_eq!((calls(&[]), calls(&[before, before, before]), calls(&[before, after])), (1, 1, 1));
        let mut lost = good();
        lost[4].2 = json!({"attempt": 2, "rescues": 2});
        let told = read(&run(8), &events(&lost));
        let mut wrong = Vec::new();
        model_calls(&run(8), &told, &[before; 3], false, &mut wrong);
        assert_eq!(wrong, Vec::<String>::new(), "a worker was lost before it could say that it had begun");
    }
}
