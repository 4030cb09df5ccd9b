//! The agents that may answer, as the workers publish them.

use actix_web::web;
use serde::Serialize;
use titan_core::agents::{self, Agent};
use utoipa::ToSchema;

use super::{Answer, State};
use crate::access::{Access, SystemRead};

#[derive(Debug, Serialize, ToSchema)]
pub struct Agents {
    items: Vec<Agent>,
}

/// List the agents that may answer a message, the default first
#[utoipa::path(get, path = "/api/agents", tag = "models", responses((status = 200, body = Agents)))]
pub async fn list_agents(_: Access<SystemRead>, state: State) -> Answer<Agents> {
    Ok(web::Json(Agents { items: state.db.run(agents::list).await? }))
}
