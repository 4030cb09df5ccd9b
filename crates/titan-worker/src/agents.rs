//! The agents of this worker, published for `GET /api/agents` and for whoever names one in a task.

use titan_agent::agents::{self, DEFAULT_AGENT};
use titan_core::agents::{Agent, publish as write};
use titan_core::db::Db;

pub(crate) async fn publish(db: &Db) {
    let agents: Vec<Agent> = agents::all()
        .iter()
        .map(|agent| Agent {
            name: agent.name.clone(),
            title: agent.title.clone(),
            description: agent.description.clone(),
            model: agent.model.clone(),
            is_default: agent.name == DEFAULT_AGENT,
        })
        .collect();
    if let Err(error) = db.run(move |connection| write(connection, &agents)).await {
        tracing::warn!(%error, "the agents could not be published");
    }
}
