//! Workers that are killed at each edge of a proposal's way, and replies that are lost: at a GitHub and on this machine, at a Forgejo and
//! at Render. Whatever happens, there is one branch, one pull request, one merge and one deployment for each intent, it ends promoted or
//! rolled back, and it is known what production runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use titan_testkit::client::text;
use titan_testkit::daemon::{Daemon, Env};
use titan_testkit::edges::{Edge, Edges, When};
use titan_testkit::forge::{Forge, Repository};

use crate::kit::Kit;
use crate::ops::{PROPOSAL, forgejo, repository};
use crate::ops_render::Hosted;
use crate::ops_site::{Site, harmed};

use When::{After, Before};

/// What is passed on the way to production, by stage. After an intent its effect is not done; before its receipt it is, and the reply is
/// lost.
const TO_PRODUCTION: [&[Edge]; 6] = [
    &[("diff running", After), ("diff completed", Before)],
    &[
        ("patch running", After),
        ("commit meant", After),
        ("commit known", Before),
        ("commit known", After),
        ("patch completed", Before),
    ],
    &[
        ("test running", After),
        ("test meant", After),
        ("test known", Before),
        ("test known", After),
        ("test completed", Before),
    ],
    &[
        ("pull request running", After),
        ("pull meant", After),
        ("pull known", Before),
        ("pull known", After),
        ("pull request completed", Before),
    ],
    &[
        ("canary running", After),
        ("rollout canary", Before),
        ("rollout canary", After),
        ("deploy:canary meant", After),
        ("deploy:canary known", Before),
        ("deploy:canary known", After),
        ("canary completed", Before),
    ],
    &[
        ("promote running", After),
        ("rollout approval", Before),
        ("rollout approval", After),
        ("rollout promoting", Before),
        ("rollout promoting", After),
        ("merge meant", After),
        ("merge known", Before),
        ("merge known", After),
        ("deploy:production meant", After),
        ("deploy:production known", Before),
        ("deploy:production known", After),
        ("rollout promoted", Before),
        ("rollout promoted", After),
        ("promote completed", Before),
    ],
];

/// What is passed when it is taken back after its merge.
const BACK: [&[Edge]; 1] = [&[
    ("rollback running", After),
    ("rollout rolling_back", Before),
    ("rollout rolling_back", After),
    ("deploy:production meant", After),
    ("deploy:production known", Before),
    ("revert:commit meant", After),
    ("revert:commit known", Before),
    ("revert:commit known", After),
    ("revert:pull meant", After),
    ("revert:pull known", Before),
    ("revert:pull known", After),
    ("rollout rolled_back", Before),
    ("rollout rolled_back", After),
    ("rollback completed", Before),
]];

/// What a bad build passes instead of an approval.
const BAD: [&[Edge]; 1] = [&[
    ("canary failed", Before),
    ("rollback running", After),
    ("rollout rolling_back", Before),
    ("rollout rolling_back", After),
    ("rollout rolled_back", Before),
    ("rollout rolled_back", After),
    ("rollback completed", Before),
]];

/// And where the bad one had taken production's place.
const REDEPLOYED: [&[Edge]; 1] =
    [&[("deploy:production meant", After), ("deploy:production known", Before), ("deploy:production known", After)]];

/// The branch, the commit, the pull request and the merge.
const WRITES: [&str; 4] = ["/git/refs|/branches$", "/graphql|/contents$|/git/commits$", "/pulls$", "/merge$"];

const MERGE: usize = 3;

/// In how many plays each edge comes once. A job that has lost five workers is taken for the one that kills them.
const HANDS: usize = 5;

/// How many plays there are; `SEEDS` says how many. Twenty play all of it.
fn seeds() -> usize {
    std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(4)
}

/// Of each stage every fifth edge.
fn dealt(stages: &[&[Edge]], hand: usize) -> Vec<Edge> {
    let of = |edges: &&[Edge]| edges.iter().skip(hand % HANDS).step_by(HANDS).copied().collect::<Vec<_>>();
    stages.iter().flat_map(of).collect()
}

/// Where it is rolled out to.
enum Scene<'a> {
    Here(Site<'a>),
    Render { hosted: Hosted, repository: Repository<'a> },
}

impl<'a> Scene<'a> {
    fn here(forge: &'a Forge) -> Self {
        Scene::Here(Site::new(forge))
    }

    fn at_render(forge: &'a Forge) -> Self {
        let repository = repository(forge);
        let hosted = Hosted::new(&repository, &forgejo(&forge.url()));
        Scene::Render { hosted, repository }
    }

    fn kit(&self) -> &Kit {
        match self {
            Scene::Here(site) => &site.kit,
            Scene::Render { hosted, .. } => &hosted.kit,
        }
    }

    fn repository(&self) -> &Repository<'a> {
        match self {
            Scene::Here(site) => &site.repository,
            Scene::Render { repository, .. } => repository,
        }
    }

    fn first(&self) -> &str {
        match self {
            Scene::Here(site) => &site.first,
            Scene::Render { hosted, .. } => &hosted.first,
        }
    }

    async fn production(&self) -> Option<String> {
        match self {
            Scene::Here(site) => site.production().await,
            Scene::Render { hosted, .. } => Some(hosted.production().await),
        }
    }

    /// The proposal and its run; a bad one does not come up.
    async fn propose(&self, bad: bool) -> (String, String) {
        match self {
            Scene::Here(site) if bad => site.propose_api(&harmed("never-ready")).await,
            Scene::Render { hosted, .. } if bad => {
                hosted.fail_the_next_build();
                hosted.kit.propose(PROPOSAL).await
            }
            _ => self.kit().propose(PROPOSAL).await,
        }
    }

    /// Nothing was asked for twice, nor is anything left.
    fn is_clear(&self, deployments: usize) {
        match self {
            Scene::Here(site) => assert_eq!((site.has_canary(), site.deployments()), (false, deployments)),
            Scene::Render { hosted, .. } => assert_eq!(hosted.deployed().len(), deployments),
        }
    }
}

/// A thread of its own that kills workers and looks at nothing else: who has just meant to do something is to be dead before it is done.
/// It ends with the test, and its worker with it.
struct Killer {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Edges>>,
}

impl Killer {
    fn start(mut edges: Edges, env: &Env) -> Self {
        let (over, env) = (Arc::new(AtomicBool::new(false)), env.clone());
        let is_over = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut worker = Daemon::worker(&env);
            while !is_over.load(Ordering::Relaxed) {
                if let Some(reached) = edges.reached() {
                    worker.kill();
                    eprintln!("killed at {:?}", edges.release(&reached));
                    worker = Daemon::worker(&env);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            edges
        });
        Killer { over, thread: Some(thread) }
    }

    fn lives(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    fn end(mut self) -> Edges {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().expect("who kills lives")
    }
}

impl Drop for Killer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Kills a worker at each of these edges that it comes to, until `done` gives something.
async fn killed_at<T>(kit: &Kit, edges: Edges, mut done: impl AsyncFnMut() -> Option<T>) -> (T, Edges) {
    let killer = Killer::start(edges, &kit.env);
    let came = kit
        .until("its end", async || {
            assert!(killer.lives(), "who kills has died");
            done().await
        })
        .await;
    (came, killer.end())
}

/// Whether a run has ended, however.
async fn has_ended(kit: &Kit, run: &Value) -> bool {
    let run = kit.client.get(&format!("/api/runs/{}", text(run))).await.expect(200);
    matches!(text(&run["status"]), "completed" | "failed" | "canceled")
}

async fn play(seed: usize) {
    // The places take turns, and every other turn of each is a bad build; of these each has its hands in order.
    let (at_render, bad) = (seed % 2 == 0, seed % 4 >= 2);
    let hand = seed / 4;
    let forge = if at_render { Forge::forgejo() } else { Forge::github() };
    let scene = if at_render { Scene::at_render(&forge) } else { Scene::here(&forge) };
    let (kit, repository) = (scene.kit(), scene.repository());
    // What is done right then, nobody hears of.
    let lost = |nth: usize| (hand + nth) % 2 == usize::from(bad);
    for (nth, path) in WRITES.iter().enumerate().filter(|(nth, _)| lost(*nth)) {
        let method = if nth == MERGE && !at_render { "PUT" } else { "POST" };
        forge.fault(&json!({"kind": "cut_after", "method": method, "path": path}));
    }
    let stages: Vec<&[Edge]> = match (bad, at_render) {
        (false, _) => TO_PRODUCTION.to_vec(),
        (true, false) => [&TO_PRODUCTION[..4], &BAD].concat(),
        (true, true) => [&TO_PRODUCTION[..4], &BAD, &REDEPLOYED].concat(),
    };
    let edges = Edges::new(&kit.db, &dealt(&stages, hand));
    let (id, run) = scene.propose(bad).await;
    let mut approved = false;
    let (rollout, mut edges) = killed_at(kit, edges, async || {
        let proposal = kit.proposal(&id).await;
        if proposal["asks"]["gate"] == "merge" && !approved {
            kit.approve(&proposal).await;
            approved = true;
        }
        let rollout = &proposal["rollout"];
        // The rollout of a bad build is its rollback's, which has something to do after it.
        let over = !rollout["ended_at"].is_null()
            && !proposal["ended_at"].is_null()
            && has_ended(kit, &rollout["run_id"]).await;
        over.then(|| rollout.clone())
    })
    .await;
    // A bad one is not merged.
    let unheard = u64::from(bad && lost(MERGE));
    assert_eq!(forge.faults_left(), unheard, "seed {seed}: replies that were not lost");
    let context = format!("seed {seed}: {rollout:#}\n{}\n{}", edges.passed(), kit.log(&run).await.join("\n"));
    assert_eq!(edges.left(), [], "nobody came there: {context}");
    assert_eq!(text(&rollout["state"]), if bad { "rolled_back" } else { "promoted" }, "{context}");
    let (first, merged) = (scene.first().to_owned(), repository.head("main"));
    assert_eq!(scene.production().await, if bad { Some(first.clone()) } else { merged.clone() }, "{context}");
    is_once(&scene, &forge, &id, 1, &context).await;
    if bad {
        return assert_eq!(merged, Some(first), "{context}");
    }

    // And by hand all the way back.
    let edges = Edges::again(&kit.db, &dealt(&BACK, hand));
    let ordered = kit.order(&id, "rollback", &json!({"reason": "the wording"})).await.expect(200);
    let ((), mut edges) = killed_at(kit, edges, async || has_ended(kit, &ordered["run_id"]).await.then_some(())).await;
    let log = kit.log(text(&ordered["run_id"])).await.join("\n");
    let context = format!("seed {seed}, back: {}\n{log}", edges.passed());
    assert_eq!(edges.left(), [], "nobody came there: {context}");
    let proposal = kit.proposal(&id).await;
    assert_eq!(text(&proposal["state"]), "rolled_back", "{context}");
    assert_eq!(scene.production().await, Some(first.clone()), "{context}");
    is_once(&scene, &forge, &id, 2, &context).await;
    let revert = text(&repository.pulls()[1]["branch"]).to_owned();
    assert_eq!(repository.git(&["diff", "--name-only", &first, &revert]), "", "{context}");
    assert_eq!(repository.head("main"), merged, "a person merges it: {context}");
}

/// Each effect was meant once, it is known what came of it, and outside it is there once.
async fn is_once(scene: &Scene<'_>, forge: &Forge, id: &str, pulls: usize, context: &str) {
    let effects = scene.kit().items(&format!("/api/ops/proposals/{id}/effects")).await;
    assert!(effects.iter().all(|effect| !effect["receipt"].is_null()), "{effects:#?}\n{context}");
    let keys: BTreeSet<&str> = effects.iter().map(|effect| text(&effect["key"])).collect();
    assert_eq!(keys.len(), effects.len(), "{context}");
    let deployments: Vec<&Value> =
        effects.iter().filter(|effect| text(&effect["key"]).starts_with("deploy:")).collect();
    scene.is_clear(deployments.len());
    assert_eq!(scene.repository().pulls().len(), pulls, "{context}");
    for kind in ["ref.create", "pull.open"] {
        assert!(forge.writes_of(&[kind]).len() <= pulls, "{kind}: {:#?}\n{context}", forge.writes());
    }
    assert!(forge.writes_of(&["pull.merge"]).len() <= 1, "{:#?}\n{context}", forge.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_wherever_it_ends_promoted_or_rolled_back() {
    for seed in 0..seeds() {
        eprintln!("seed {seed}");
        play(seed).await;
    }
}
