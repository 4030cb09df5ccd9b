//! What the model takes that is to answer, and what those take that are asked in its place: a request is to serve whichever answers.

use titan_agent::context::Limits;
use titan_core::providers;

use super::context::NoRequest;
use crate::asking::Broken;
use crate::handler::Work;
use crate::models::Models;

pub(super) struct Takes {
    pub(super) limits: Limits,
    pub(super) images: Images,
}

/// Which images are sent. A model that takes none refuses the whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Images {
    /// All that answer are known to take them.
    All,
    /// Of none it is known, so only those that the message itself brings along: should they be refused, the next message is not.
    Own,
    /// The model that was wanted is known to take none.
    None,
}

/// Of those that are asked in the model's place nothing is assumed.
pub(super) async fn of(work: &Work, models: &Models, model: Option<&str>) -> Result<Takes, NoRequest> {
    let (mut context, mut output) = (None, None);
    let mut images = Images::All;
    for (place, candidate) in models.candidates(model).iter().enumerate() {
        let asked = tokio::select! {
            biased;
            () = work.stop.requested() => return Err(NoRequest::Broken(Broken::Stopped)),
            asked = candidate.provider.model_for(&candidate.model) => asked,
        };
        // One that cannot even say what it is called will not answer either.
        let Ok(name) = asked else { continue };
        let facts = models.facts(candidate.provider.as_ref(), &name);
        let (mut takes, mut gives) = (facts.context_tokens, facts.max_output_tokens);
        if takes.is_none() {
            // Told before this worker began.
            let provider = candidate.provider.name().to_owned();
            let told = work.db.run(move |connection| providers::offered(connection, &provider, &name)).await?;
            takes = told.as_ref().and_then(|told| told.context_tokens);
            gives = gives.or(told.and_then(|told| told.max_output_tokens));
        }
        if place == 0 {
            (context, output) = (takes, gives);
        } else {
            context = context.map(|least: u64| takes.map_or(least, |takes| takes.min(least)));
        }
        images = match (images, facts.takes_images) {
            (Images::None, _) => Images::None,
            (_, Some(false)) if place == 0 => Images::None,
            (Images::All, Some(true)) => Images::All,
            _ => Images::Own,
        };
    }
    Ok(Takes { limits: Limits::told(context, output), images })
}
