//! Calls of models: reserved under every budget that they fall under, settled with what they came to, counted as made when nobody can
//! tell, and woken when there is room again.

use serde_json::json;
use uuid::Uuid;

use super::super::call::{CallOf, CallState, EndedCall, Purpose, Reserve, Reserved, Wake};
use super::super::ledger::{OpenCall, scopes_of};
use super::super::load::Job;
use super::super::transition::{Fence, NewEvent};
use super::changes::{CallRow, Rescheduled};
use super::work::stop_waiting;
use super::{Story, short, storable};
use crate::budgets::{self, Amounts, Standing};
use crate::state::Level;
use crate::{Error, Result};

impl Story {
    pub(super) fn reserve(&mut self, reserve: &Reserve) -> Result<Reserved> {
        let fence = &reserve.fence;
        if self.may_work(fence)? {
            return Ok(Reserved::Stop);
        }
        self.begin(fence)?;
        let Some(run) = self.world.runs.get(&fence.run_id) else { return Err(Error::NotFound("run", fence.run_id)) };
        let scopes = scopes_of(run);
        let (project_id, task_id) = (run.project_id, run.task_id);
        let over: Vec<Standing> = self
            .world
            .budgets
            .values()
            .filter(|budget| scopes.contains(&(budget.standing.scope, budget.scope_id)))
            .map(|budget| budget.standing)
            .collect();
        let grant = match budgets::grant(&over, &reserve.need, self.world.now) {
            Ok(grant) => grant,
            Err(refusal) => return Ok(Reserved::Refused(refusal)),
        };
        let budget_ids: Vec<Uuid> = over.iter().map(|budget| budget.id).collect();
        self.in_budgets(&budget_ids, |budget| budget.reserved = budget.reserved.plus(grant.reserved));
        let row = CallRow {
            call: reserve.call.clone(),
            is_new: true,
            run_id: fence.run_id,
            step: fence.step,
            attempt: self.world.steps.get(&(fence.run_id, fence.step)).map_or(1, |step| step.attempt),
            project_id,
            task_id,
            state: CallState::Open,
            error: None,
            input_tokens: reserve.need.input_tokens,
            cached_tokens: 0,
            output_tokens: 0,
            estimated: true,
            cost_micros: None,
            finish_reason: None,
            first_token_ms: None,
            duration_ms: None,
            reserved: grant.reserved,
            budget_ids,
        };
        self.world.calls.insert(row.call.id, OpenCall::of(&row));
        self.changes.calls.insert(row.call.id, row);
        if let Some(run) = self.world.runs.get_mut(&fence.run_id) {
            run.open_calls += 1;
            self.changes.runs.insert(fence.run_id);
        }
        self.append_all(fence, &reserve.events);
        Ok(Reserved::Granted { output_tokens: grant.capped.then_some(grant.output_tokens) })
    }

    pub(super) fn settle_all(&mut self, fence: &Fence, calls: &[EndedCall]) {
        for call in calls {
            self.settle(fence, call);
        }
    }

    /// A call that was reserved and is not open any more was settled before.
    fn settle(&mut self, fence: &Fence, ended: &EndedCall) {
        let open = self.world.calls.remove(&ended.call.id);
        if ended.reserved && open.is_none() {
            return;
        }
        let Some(run) = self.world.runs.get(&fence.run_id) else { return };
        let attempt = self.world.steps.get(&(fence.run_id, fence.step)).map_or(1, |step| step.attempt);
        let row = CallRow {
            call: CallOf {
                provider: storable(ended.call.provider.clone()),
                model: storable(ended.call.model.clone()),
                ..ended.call.clone()
            },
            is_new: !ended.reserved || self.changes.calls.get(&ended.call.id).is_some_and(|row| row.is_new),
            run_id: fence.run_id,
            step: fence.step,
            attempt,
            project_id: run.project_id,
            task_id: run.task_id,
            state: ended.state,
            error: ended.error.as_deref().map(short),
            input_tokens: ended.input_tokens.max(0),
            cached_tokens: ended.cached_tokens.max(0),
            output_tokens: ended.output_tokens.max(0),
            estimated: ended.estimated,
            cost_micros: ended.cost_micros,
            finish_reason: ended.finish_reason.clone().map(storable),
            first_token_ms: ended.first_token_ms,
            duration_ms: Some(ended.duration_ms),
            reserved: Amounts::default(),
            budget_ids: open.as_ref().map(|open| open.budget_ids.clone()).unwrap_or_default(),
        };
        self.write_settled(row, open.as_ref());
    }

    /// The calls of a run that are under way, of one step or of all.
    pub(super) fn open_calls(&self, run_id: Uuid, step: Option<i16>) -> Vec<Uuid> {
        let calls = self.world.calls.values();
        calls
            .filter(|call| call.run_id == run_id && step.is_none_or(|step| call.step == step))
            .map(|call| call.id)
            .collect()
    }

    /// Nobody knows how these ended: they count as made, with all that was reserved for them.
    pub(super) fn lose_all(&mut self, calls: &[Uuid]) {
        for id in calls {
            let Some(open) = self.world.calls.remove(id) else { continue };
            let Some(run) = self.world.runs.get(&open.run_id) else { continue };
            let reserved = open.reserved();
            let is_new = self.changes.calls.get(id).is_some_and(|row| row.is_new);
            let row = CallRow {
                // Of a row that is there already only what it came to is written.
                call: CallOf {
                    id: open.id,
                    purpose: Purpose::Answer,
                    provider: open.provider.clone(),
                    model: open.model.clone(),
                    fallback: 0,
                },
                is_new,
                run_id: open.run_id,
                step: open.step,
                attempt: self.world.steps.get(&(open.run_id, open.step)).map_or(0, |step| step.attempt),
                project_id: run.project_id,
                task_id: run.task_id,
                state: CallState::Lost,
                error: Some("the worker was lost or stopped while the call was under way".to_owned()),
                input_tokens: open.input_tokens,
                cached_tokens: 0,
                output_tokens: (reserved.tokens - open.input_tokens).max(0),
                estimated: true,
                cost_micros: Some(reserved.cost_micros).filter(|cost| *cost > 0),
                finish_reason: None,
                first_token_ms: None,
                duration_ms: None,
                reserved: Amounts::default(),
                budget_ids: open.budget_ids.clone(),
            };
            let line = format!(
                "A call of {} ({}) was under way when its work was lost; it counts as made",
                open.provider, open.model
            );
            let (run_id, step) = (open.run_id, open.step);
            self.write_settled(row, Some(&open));
            self.append(run_id, Some(step), NewEvent::told("call.lost", Level::Warn, line, json!({"call_id": id})));
        }
    }

    /// Adds what a call came to to its run and its budgets, and gives back what was reserved.
    fn write_settled(&mut self, row: CallRow, open: Option<&OpenCall>) {
        let spent = Amounts {
            cost_micros: row.cost_micros.unwrap_or(0),
            tokens: row.input_tokens.saturating_add(row.output_tokens),
            calls: 1,
        };
        if let Some(open) = open {
            let reserved = open.reserved();
            self.in_budgets(&open.budget_ids, |budget| {
                budget.reserved = budget.reserved.minus(reserved);
                budget.spent = budget.spent.plus(spent);
            });
        }
        if let Some(run) = self.world.runs.get_mut(&row.run_id) {
            run.input_tokens = run.input_tokens.saturating_add(row.input_tokens);
            run.output_tokens = run.output_tokens.saturating_add(row.output_tokens);
            if let Some(cost) = row.cost_micros {
                run.cost_micros = Some(run.cost_micros.unwrap_or(0).saturating_add(cost));
            }
            run.open_calls -= i16::from(open.is_some());
            self.changes.runs.insert(row.run_id);
        }
        self.changes.calls.insert(row.call.id, row);
    }

    fn in_budgets(&mut self, ids: &[Uuid], change: impl Fn(&mut Standing)) {
        for id in ids {
            if let Some(budget) = self.world.budgets.get_mut(id) {
                change(&mut budget.standing);
                self.changes.budgets.insert(*id);
            }
        }
    }

    /// The steps of a run that wait for this look again, at once or within a time. Nobody looks later than they would have anyway.
    pub(super) fn wake(&mut self, wake: Wake) -> Result<usize> {
        let run = self.world.runs.get(&wake.run_id).ok_or(Error::NotFound("run", wake.run_id))?;
        if run.status.is_terminal() {
            return Ok(0);
        }
        let of_run = (wake.run_id, i16::MIN)..=(wake.run_id, i16::MAX);
        let waiting = self.world.steps.range(of_run).filter(|(_, step)| step.waiting_on == Some(wake.on));
        let waiting: Vec<(i16, String)> = waiting.map(|((_, seq), step)| (*seq, step.name.clone())).collect();
        let mut woken = 0;
        for (seq, name) in waiting {
            let asleep = |job: &&mut Job| job.run_id == Some(wake.run_id) && job.step == Some(seq) && !job.running;
            let Some(job) = self.world.jobs.values_mut().find(asleep) else { continue };
            let until = self.world.now + wake.within.unwrap_or_default();
            if wake.within.is_some() && job.run_at.is_none_or(|run_at| run_at <= until) {
                continue;
            }
            // So that the next wake of the same batch finds it so.
            job.run_at = Some(until);
            let moved = Rescheduled::after(wake.within.unwrap_or_default(), job.attempt);
            self.changes.rescheduled.insert(job.id, moved);
            if let Some(step) = self.world.steps.get_mut(&(wake.run_id, seq)) {
                match wake.within {
                    Some(_) => step.waiting_until = step.waiting_until.map(|_| until),
                    None => stop_waiting(step),
                }
                self.changes.steps.insert((wake.run_id, seq));
            }
            let line = format!("Step {name} looks again: {}", wake.why);
            self.append(wake.run_id, Some(seq), NewEvent::told("step.woken", Level::Info, line, json!({})));
            woken += 1;
        }
        Ok(woken)
    }
}
