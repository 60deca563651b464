//! One rehearsal, from its turn to its end.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant as Monotonic;

use parking_lot::Mutex;
use postlane_mail::Span;
use postlane_rehearsal::{
    Believed, Engine, Going, Look, Picture, Policy, Rehearsal, Run, RunError, Sight, Suggestion,
    Summary, Tracing, decisions,
};

use super::limits::{BANDS_MAX, COLUMNS, DECISIONS_MAX, DRAWN_EVERY, RUN_MAX, outgrown};
use super::{Keep, NewRehearsal, Rehearsals, Rehearsed, Standing, rehearsed_engine};

/// Who looks on while it runs.
struct Onlooker {
    one: Arc<Rehearsed>,
    closing: tokio::sync::watch::Receiver<bool>,
    began: Monotonic,
    drawn: Mutex<Drawn>,
    /// Why a run had to end, where it had grown too large.
    outgrown: Mutex<Option<String>>,
}

/// What was drawn, and what was kept of runs that are over.
struct Drawn {
    at: Monotonic,
    done: BTreeSet<Policy>,
    believed: Vec<Believed>,
}

impl Rehearsals {
    pub(super) fn make(&self, one: &Arc<Rehearsed>) {
        let mut may_begin = false;
        // Whoever stops it while it waits has said so by its standing.
        one.change(|seen| {
            if seen.standing == Standing::Waits {
                (seen.standing, seen.began) = (Standing::Runs, Some(self.now()));
                may_begin = true;
            }
        });
        if !may_begin {
            return;
        }
        // A fault of ours in a stranger's scenario ends that rehearsal, and not those behind it.
        let ended = catch_unwind(AssertUnwindSafe(|| self.run(one)));
        let standing = match ended {
            Ok(Ok(())) => Standing::Done,
            Ok(Err(Ended::Stopped)) => Standing::Stopped,
            Ok(Err(Ended::Failed(says))) => Standing::Failed(says),
            Err(_) => Standing::Failed(
                "a fault of ours ended it: please report it with the scenario".to_owned(),
            ),
        };
        let now = self.now();
        one.change(|seen| (seen.standing, seen.ended) = (standing, Some(now)));
    }

    fn run(&self, one: &Arc<Rehearsed>) -> Result<(), Ended> {
        let engine = self.engine(&one.asked);
        let now = Monotonic::now();
        let onlooker = Arc::new(Onlooker {
            one: one.clone(),
            closing: self.0.closing.clone(),
            began: now,
            drawn: Mutex::new(Drawn { at: now, done: BTreeSet::new(), believed: Vec::new() }),
            outgrown: Mutex::new(None),
        });
        let looks = onlooker.clone();
        let planned = planned(&one.asked, engine.clone(), one.asked.policies.clone());
        let sums = planned.in_turn(&Look::new(move |sight| looks.look(sight)));
        let sums = sums.map_err(|why| onlooker.ended(&why))?;
        if let Some(own) = lane(&one.asked) {
            let suggestion = onlooker.suggest(&engine, (own, &sums))?;
            one.change(|seen| seen.suggestion = Some(suggestion));
        }
        Ok(())
    }

    fn engine(&self, asked: &NewRehearsal) -> Arc<Engine> {
        match asked.keep {
            Keep::BuiltIn => self.0.built_in.get_or_init(|| Arc::new(Engine::built_in())).clone(),
            Keep::Own => {
                let setup = self.0.live.borrow().clone();
                Arc::new(rehearsed_engine(&setup, std::slice::from_ref(&asked.scenario)))
            }
        }
    }
}

/// Why it has come to no end of its own.
enum Ended {
    Stopped,
    Failed(String),
}

/// The policy that is ours, if one was asked for: what it learned is suggested.
fn lane(asked: &NewRehearsal) -> Option<Policy> {
    [Policy::Lane, Policy::LaneWarm].into_iter().find(|policy| asked.policies.contains(policy))
}

fn planned(asked: &NewRehearsal, engine: Arc<Engine>, policies: Vec<Policy>) -> Rehearsal {
    let (scenarios, seeds) = (vec![asked.scenario.clone()], asked.seeds);
    Rehearsal { scenarios, policies, engine, seeds, tracing: Tracing::Off, threads: 1 }
}

impl Onlooker {
    fn look(&self, sight: &Sight<'_>) -> Going {
        if self.must_end() {
            return Going::Stop;
        }
        match sight {
            Sight::Run { run, .. } if self.has_outgrown(run) => return Going::Stop,
            Sight::Run { policy, seed, run, is_over } => self.see((*policy, *seed), run, *is_over),
            Sight::Sums(sums) => self.one.change(|seen| seen.sums = sums.to_vec()),
        }
        Going::On
    }

    fn must_end(&self) -> bool {
        self.one.is_stopped() || *self.closing.borrow() || self.began.elapsed() > RUN_MAX
    }

    fn has_outgrown(&self, run: &Run) -> bool {
        let why = outgrown(&self.one.asked.scenario, run);
        let has = why.is_some();
        if has {
            *self.outgrown.lock() = why;
        }
        has
    }

    fn ended(&self, why: &RunError) -> Ended {
        if let Some(says) = self.outgrown.lock().take() {
            return Ended::Failed(says);
        }
        match why {
            RunError::Stopped if self.one.is_stopped() => Ended::Stopped,
            RunError::Stopped if *self.closing.borrow() => {
                Ended::Failed("the server was closing".to_owned())
            }
            RunError::Stopped => Ended::Failed(format!(
                "it took longer than {} s: rehearse fewer messages, policies or runs, or use the \
                 command on a machine of your own",
                RUN_MAX.as_secs()
            )),
            other => Ended::Failed(other.to_string()),
        }
    }

    /// A run as far as it has come: of each policy the first one is drawn, and what it leaves is kept.
    fn see(&self, (policy, seed): (Policy, u64), run: &Run, is_over: bool) {
        let asked = &self.one.asked;
        let is_asked = asked.policies.contains(&policy);
        let is_first = run.seed == seed && seed == asked.scenario.run_seed(0);
        let mut drawn = self.drawn.lock();
        let is_due = is_over || drawn.at.elapsed() >= DRAWN_EVERY;
        if is_asked && is_first && is_due && !drawn.done.contains(&policy) {
            let mut picture = Picture::of(&asked.scenario, run, COLUMNS);
            picture.bands.truncate(BANDS_MAX);
            drawn.at = Monotonic::now();
            let is_ours = lane(asked) == Some(policy);
            self.one.change(|seen| {
                seen.pictures.insert(policy, picture);
                if is_over && is_ours {
                    seen.decisions = decisions(&asked.scenario, run, DECISIONS_MAX);
                }
            });
            if is_over {
                drawn.done.insert(policy);
                if is_ours {
                    drawn.believed.clone_from(&run.believed);
                }
            }
        }
        drop(drawn);
        if is_over {
            self.one.change(|seen| seen.runs.0 += 1);
        }
    }

    /// What was learned, as configuration; and what the same runs come to when it is told before.
    fn suggest(
        self: &Arc<Self>,
        engine: &Arc<Engine>,
        (own, sums): (Policy, &[Summary]),
    ) -> Result<String, Ended> {
        let asked = &self.one.asked;
        let believed = self.drawn.lock().believed.clone();
        let suggestion = Suggestion::of(&asked.scenario, &engine.knowledge, &believed);
        let title = format!(
            "Suggested by a rehearsal of {} with {own}, seed {}.",
            asked.scenario.meta.id,
            asked.scenario.run_seed(0)
        );
        let mut says = vec![title];
        if !suggestion.is_empty() {
            let told = Arc::new(suggestion.engine(engine));
            let again = planned(asked, told, vec![own]);
            let onlooker = self.clone();
            let looks = Look::new(move |sight| match sight {
                Sight::Run { run, .. } if onlooker.must_end() || onlooker.has_outgrown(run) => {
                    Going::Stop
                }
                _ => Going::On,
            });
            let after = again.in_turn(&looks).map_err(|why| self.ended(&why))?;
            let before = sums.iter().find(|sum| sum.policy == own.as_str());
            says.extend(before.zip(after.first()).map(|(was, is)| compared(was, is)));
            says.push("What a lane learns by itself it learns anew when the provider changes; a line here \
                       is kept to until somebody changes it.".to_owned());
        }
        Ok(suggestion.to_toml(&says))
    }
}

/// Two outcomes of the same runs: as it was, and with what was told before.
fn compared(was: &Summary, is: &Summary) -> String {
    let time = |s: Option<f64>| {
        s.map_or_else(
            || "never".to_owned(),
            |s| format!("after {}", Span::from_s(s.round() as u64)),
        )
    };
    let refused = |r4xx: Option<f64>| {
        r4xx.map_or_else(|| "–".to_owned(), |r4xx| format!("{:.2} %", r4xx * 100.0))
    };
    format!(
        "Rehearsed with it, {}: 99 % delivered {} (without it {}), refused {} of what was \
         delivered ({}).",
        if is.seeds == 1 { "one run".to_owned() } else { format!("{} runs", is.seeds) },
        time(is.t99_s()),
        time(was.t99_s()),
        refused(is.r4xx_per_delivered()),
        refused(was.r4xx_per_delivered()),
    )
}
