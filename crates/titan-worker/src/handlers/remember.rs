//! The step that remembers what was said. What is worth a memory is `titan-agent`'s to say.

use async_trait::async_trait;
use serde_json::{Value, json};
use titan_agent::memory::fact_of_exchange;
use titan_core::engine::{Done, Outcome, Write};
use titan_core::memories::{Form, Remembered};

use crate::handler::{Handler, Work};

/// A record of what was said, not a conclusion from it.
const CONFIDENCE: f64 = 1.0;

pub struct Remember;

#[async_trait]
impl Handler for Remember {
    fn kind(&self) -> &'static str {
        "remember"
    }

    async fn run(&self, work: Work) -> Outcome {
        let said = |name: &str| {
            let answer = work.started.inputs.get("answer");
            answer.and_then(|answer| answer.get(name)).and_then(Value::as_str).unwrap_or_default()
        };
        let record = fact_of_exchange(said("question"), said("answer"));
        let record = record.and_then(|record| Remembered::new(&record, Form::Unindexed, CONFIDENCE));
        let writes = record.map(Write::Memory).into_iter().collect();
        Outcome::Done(Done { output: json!({}), writes })
    }
}
