//! The states of offers and the stages of leads, and the only moves between them, as pure functions. Postgres refuses any
//! other move too (migration `people_and_sales`); `tests/it/sales.rs` compares the two pair by pair.

use crate::state::text_enum;
use crate::{Error, Result};

text_enum! {
    /// Who can see an offer: nobody yet, whoever asks, nobody any more.
    OfferState { Draft = "draft", Published = "published", Withdrawn = "withdrawn" }
}

text_enum! {
    /// How far somebody is on the way to buying.
    LeadStage {
        New = "new", Contacted = "contacted", Qualified = "qualified", Proposal = "proposal", Won = "won", Lost = "lost",
    }
}

impl OfferState {
    /// What was published never becomes a draft without being withdrawn first: somebody may have read it.
    #[must_use]
    pub fn may_become(self, next: OfferState) -> bool {
        use OfferState::{Draft, Published, Withdrawn};
        matches!((self, next), (Draft, Published) | (Published, Withdrawn) | (Withdrawn, Published | Draft))
    }

    /// Staying is allowed and no move.
    pub(super) fn check(self, next: OfferState) -> Result<()> {
        if self == next || self.may_become(next) {
            return Ok(());
        }
        let may: Vec<&str> =
            Self::ALL.iter().filter(|other| self.may_become(**other)).map(|other| other.as_str()).collect();
        Err(Error::Conflict(format!(
            "an offer does not go from {self} to {next}; from there it may become {}",
            may.join(", ")
        )))
    }
}

impl LeadStage {
    /// Nothing is decided yet.
    #[must_use]
    pub fn is_open(self) -> bool {
        !matches!(self, LeadStage::Won | LeadStage::Lost)
    }

    /// Forward past any number of open stages, back by one. Won is only who was qualified; whoever is still open may be lost.
    /// Lost ones are taken up again by contacting them, and a win that was none goes back to the proposal.
    #[must_use]
    pub fn may_become(self, next: LeadStage) -> bool {
        use LeadStage::{Contacted, Lost, Proposal, Qualified, Won};
        match (self, next) {
            (Lost, next) => next == Contacted,
            (Won, next) => next == Proposal,
            (_, Lost) => true,
            (was, Won) => was >= Qualified,
            (was, next) => next > was || next as u8 + 1 == was as u8,
        }
    }

    /// Staying is allowed and no move.
    pub(super) fn check(self, next: LeadStage) -> Result<()> {
        if self == next || self.may_become(next) {
            return Ok(());
        }
        let may: Vec<&str> =
            Self::ALL.iter().filter(|other| self.may_become(**other)).map(|other| other.as_str()).collect();
        Err(Error::Conflict(format!(
            "a lead does not go from {self} to {next}; from there it may become {}",
            may.join(", ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn any_stage() -> impl Strategy<Value = LeadStage> {
        select(LeadStage::ALL)
    }

    proptest! {
        #[test]
        fn nothing_moves_to_itself_and_staying_is_no_error(stage in any_stage()) {
            prop_assert!(!stage.may_become(stage) && stage.check(stage).is_ok());
        }

        #[test]
        fn every_stage_can_be_left_and_reached_from_any_other(was in any_stage(), next in any_stage()) {
            let mut reached = vec![was];
            while let Some(more) = LeadStage::ALL
                .iter()
                .find(|more| !reached.contains(more) && reached.iter().any(|from| from.may_become(**more)))
            {
                reached.push(*more);
            }
            prop_assert!(reached.contains(&next), "{} never becomes {}", was, next);
        }

        #[test]
        fn a_walk_by_the_rules_wins_only_whom_it_qualified(walk in prop::collection::vec(any_stage(), 0..20)) {
            let (mut at, mut qualified) = (LeadStage::New, false);
            for next in walk {
                if at.may_become(next) {
                    at = next;
                    qualified |= matches!(at, LeadStage::Qualified | LeadStage::Proposal);
                    prop_assert!(at != LeadStage::Won || qualified);
                } else {
                    let says = at.check(next).map_err(|error| error.to_string());
                    prop_assert!(at == next || says.is_err_and(|says| says.contains("it may become")));
                }
            }
        }

        #[test]
        fn whoever_is_open_may_be_lost_and_goes_back_by_one_only(was in any_stage(), next in any_stage()) {
            prop_assert!(!was.is_open() || was.may_become(LeadStage::Lost));
            if was.is_open() && next.is_open() && next < was {
                prop_assert_eq!(was.may_become(next), next as u8 + 1 == was as u8);
            }
        }
    }

    #[test]
    fn what_was_published_is_no_draft_before_it_is_withdrawn() {
        assert!(!OfferState::Published.may_become(OfferState::Draft));
        let says = OfferState::Published.check(OfferState::Draft).unwrap_err().to_string();
        assert_eq!(says, "an offer does not go from published to draft; from there it may become withdrawn");
        assert!(OfferState::ALL.iter().all(|state| !state.may_become(*state)));
    }
}
