//! A breadth-first explorer: every state that can be reached, every step between them, and the shortest way to the first
//! step that breaks a rule. It also tells whether the end stays within reach from everywhere, which is how "every job ends"
//! is checked. It knows nothing of jobs.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::rc::Rc;

/// What can be explored.
pub(crate) trait Model {
    type State: Clone + Eq + Hash;
    type Action: Clone + Debug;

    fn first(&self) -> Self::State;
    /// Every action that is possible in a state, with what it leads to.
    fn next(&self, state: &Self::State) -> Vec<(Self::Action, Self::State)>;
    /// Of states that are the same but for names: the one that stands for all.
    fn canonical(&self, state: Self::State) -> Self::State;
    /// The rule that a step breaks.
    fn broken(&self, before: &Self::State, action: &Self::Action, after: &Self::State) -> Option<&'static str>;
    /// Whether nothing is left to do.
    fn ended(&self, state: &Self::State) -> bool;
    /// Whether an action may be counted on to happen in the end. Faults may not.
    fn happens(&self, state: &Self::State, action: &Self::Action) -> bool;
    /// The action without its details, for the count of what was tried.
    fn name(&self, action: &Self::Action) -> &'static str;
}

pub(crate) struct Explored<A> {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    /// How often each kind of action was taken.
    pub(crate) tried: BTreeMap<&'static str, usize>,
    /// The first step that broke a rule, with the shortest way to it. Nothing was explored beyond its distance.
    pub(crate) broken: Option<Counterexample<A>>,
    /// The shortest way to a state from which the end cannot be reached without a fault.
    pub(crate) stuck: Option<Vec<A>>,
}

pub(crate) struct Counterexample<A> {
    pub(crate) rule: &'static str,
    pub(crate) way: Vec<A>,
}

struct Seen<S, A> {
    state: Rc<S>,
    /// The state that this one was first reached from, and how.
    from: Option<(usize, A)>,
}

/// Explores everything. More than `most` states is an error of the model's bounds, and fails the test.
pub(crate) fn explore<M: Model>(model: &M, most: usize) -> Explored<M::Action> {
    let first = Rc::new(model.first());
    let mut numbers: HashMap<Rc<M::State>, usize, BuildHasherDefault<Quick>> = HashMap::default();
    numbers.insert(Rc::clone(&first), 0);
    let mut seen = vec![Seen { state: first, from: None }];
    // For each step that may be counted on: where it leads, and where it comes from.
    let mut sure_steps: Vec<(usize, usize)> = Vec::new();
    let mut explored = Explored { states: 0, steps: 0, tried: BTreeMap::new(), broken: None, stuck: None };
    let mut at = 0;
    while at < seen.len() {
        assert!(seen.len() <= most, "more than {most} states: the model is not bounded as it should be");
        let state = Rc::clone(&seen[at].state);
        for (action, after) in model.next(&state) {
            explored.steps += 1;
            *explored.tried.entry(model.name(&action)).or_default() += 1;
            if let Some(rule) = model.broken(&state, &action, &after) {
                let mut way = way_to(&seen, at);
                way.push(action);
                explored.states = seen.len();
                explored.broken = Some(Counterexample { rule, way });
                return explored;
            }
            let after = model.canonical(after);
            let sure = model.happens(&state, &action);
            let number = match numbers.get(&after) {
                Some(number) => *number,
                None => {
                    let after = Rc::new(after);
                    numbers.insert(Rc::clone(&after), seen.len());
                    seen.push(Seen { state: after, from: Some((at, action)) });
                    seen.len() - 1
                }
            };
            if sure && number != at {
                sure_steps.push((number, at));
            }
        }
        at += 1;
    }
    explored.states = seen.len();
    explored.stuck = first_stuck(model, &seen, sure_steps).map(|number| way_to(&seen, number));
    explored
}

fn way_to<S, A: Clone>(seen: &[Seen<S, A>], mut number: usize) -> Vec<A> {
    let mut way = Vec::new();
    while let Some((from, action)) = &seen[number].from {
        way.push(action.clone());
        number = *from;
    }
    way.reverse();
    way
}

/// Goes back from the ends along the steps that may be counted on. What is not met on the way is stuck.
fn first_stuck<M: Model>(
    model: &M,
    seen: &[Seen<M::State, M::Action>],
    mut steps: Vec<(usize, usize)>,
) -> Option<usize> {
    steps.sort_unstable();
    let mut can_end: Vec<bool> = seen.iter().map(|seen| model.ended(&seen.state)).collect();
    let mut open: Vec<usize> = (0..seen.len()).filter(|number| can_end[*number]).collect();
    while let Some(number) = open.pop() {
        let start = steps.partition_point(|(to, _)| *to < number);
        for (_, from) in steps[start..].iter().take_while(|(to, _)| *to == number) {
            if !can_end[*from] {
                can_end[*from] = true;
                open.push(*from);
            }
        }
    }
    can_end.iter().position(|can_end| !can_end)
}

/// A hasher for millions of small states that nobody chooses to collide.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
