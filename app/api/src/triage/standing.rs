//! Lanes that stand still while mail waits. History cannot show it: little is tried meanwhile, so
//! little is refused, and what there is looks healthy.

use postlane_lanes::{Instruction, State};
use postlane_mail::Label;
use postlane_replies::Providers;
use postlane_server::handle::{Filter, Handle, Lane, LaneStanding, Stopped};
use postlane_triage::{Class, Figures};

use crate::wire::{
    DiagnosisPage, DiagnosisQuery, EvidenceRow, ProviderDiagnosis, ReplySeenRow, StepRow,
    VerdictRow, timestamp,
};

/// The class of a provider whose mail waits for a lane; it is no trouble.
const WAITING: &str = "waiting";
/// Characters that are quoted of a reply, at most. Chosen, not measured.
const REPLY_CHARS_MAX: usize = 160;

/// A provider's mail that waits, and its lanes that stand still.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) provider: String,
    /// Recipients that wait, are in no transaction, and are held by nobody one by one.
    pub(crate) recipients: u64,
    /// In order of their sources; never empty.
    pub(crate) lanes: Vec<Still>,
}

/// A lane that stands still.
#[derive(Debug, Clone)]
pub(crate) struct Still {
    pub(crate) source: String,
    /// Whether it rests after a refusal; else an order stops it.
    pub(crate) rests: bool,
    /// As the end of a sentence: `the lane of a rests until …`.
    pub(crate) says: String,
    /// After what reply it rests, on one line, where it was heard since the server began.
    pub(crate) reply: Option<String>,
}

/// What stands still now, of what is asked for.
pub(crate) async fn standing(
    handle: &Handle,
    query: &DiagnosisQuery,
) -> Result<Vec<Standing>, Stopped> {
    let known = Providers::built_in();
    let wanted = query.provider.as_deref();
    let wanted: Option<String> =
        wanted.map(|name| known.resolve(name).map_or_else(|| name.to_owned(), |id| id.to_string()));
    let tenant = query.tenant.as_deref().map(Label::parse).transpose();
    // Nobody is called so.
    let Ok(tenant) = tenant else { return Ok(Vec::new()) };
    let waits = handle.summary(Filter { tenant, ..Filter::default() }).await?;
    let list = handle.lanes(None, 0).await.map_err(|_| Stopped)?;
    let of_line = |line: postlane_server::handle::SummaryLine| {
        let recipients = line.ready + line.deferred;
        let of_it = list.lanes.iter().filter(|lane| *lane.name.provider == *line.name);
        let lanes: Vec<Still> = of_it.filter_map(still).collect();
        let is_meant = wanted.as_ref().is_none_or(|wanted| *wanted == line.name);
        (is_meant && recipients > 0 && !lanes.is_empty()).then_some(Standing {
            provider: line.name,
            recipients,
            lanes,
        })
    };
    Ok(waits.lines.into_iter().filter_map(of_line).collect())
}

/// What a lane that stands still does; none of one that sends.
fn still(lane: &Lane) -> Option<Still> {
    let source = lane.name.source.as_deref().unwrap_or_default().to_owned();
    let name =
        if source.is_empty() { "the lane".to_owned() } else { format!("the lane of {source}") };
    let says = match lane.standing {
        LaneStanding::Resting => match lane.view.state {
            State::Cooling { until } => format!(
                "{name} rests until {}, when one message asks whether it may go on",
                timestamp(until).0
            ),
            _ => format!("{name} rests, and one message asks now whether it may go on"),
        },
        LaneStanding::Held => {
            // A source that is left out holds no mail up: it goes by the others of its pool.
            let stops =
                |what: &Instruction| !matches!(what, Instruction::Pin(_) | Instruction::Exclude);
            let order = lane.orders.iter().find(|ordered| stops(&ordered.order.what))?;
            let until = order.order.until.map(|until| format!(", until {}", timestamp(until).0));
            let (what, by) = (&order.order.what, order.order.by.as_str());
            format!("{name} is held by an order of {by}: {what}{}", until.unwrap_or_default())
        }
        _ => return None,
    };
    let rests = lane.standing == LaneStanding::Resting;
    let heard = lane.last_reply.as_ref().filter(|_| rests);
    Some(Still { source, rests, says, reply: heard.map(|last| last.reply.to_string()) })
}

/// A reply on one line, as much of it as is read at a glance.
fn quoted(reply: &str) -> String {
    let line = reply.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = line.chars().take(REPLY_CHARS_MAX).collect();
    if line.chars().nth(REPLY_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// Puts what stands still into a diagnosis. Where history found trouble its verdict stays, with
/// the lanes beside it; where it found none, that mail waits is the verdict.
pub(crate) fn tell(page: &mut DiagnosisPage, standing: &[Standing]) {
    for of in standing {
        let found = page.providers.iter().position(|known| known.id == of.provider);
        match found.and_then(|at| page.providers.get_mut(at)) {
            Some(known) => join(known, of),
            None => {
                let mut unseen = unseen(&of.provider);
                join(&mut unseen, of);
                page.providers.push(unseen);
            }
        }
    }
    // What needs somebody comes first, then what waits.
    page.providers.sort_by_key(|of| match &*of.verdict.class {
        WAITING => 1,
        class => {
            if is_quiet(class) {
                2
            } else {
                0
            }
        }
    });
}

fn join(known: &mut ProviderDiagnosis, of: &Standing) {
    let with_reply =
        |still: &Still| Still { says: explained(still, &known.replies), ..still.clone() };
    let lanes: Vec<Still> = of.lanes.iter().map(with_reply).collect();
    let of_provider: Vec<&Still> = lanes.iter().collect();
    let wait = match of.recipients {
        1 => "1 recipient waits".to_owned(),
        many => format!("{many} recipients wait"),
    };
    put(&mut known.verdict, (&known.id, &wait), of.recipients, &of_provider);
    for source in &mut known.sources {
        let own: Vec<&Still> = lanes.iter().filter(|still| still.source == source.source).collect();
        if !own.is_empty() {
            // By which source they will go is not known yet.
            put(&mut source.verdict, (&known.id, "Mail waits"), of.recipients, &own);
        }
    }
}

/// What a lane does, and after what reply; history says what came most where the server was started
/// since.
fn explained(still: &Still, replies: &[ReplySeenRow]) -> String {
    let says = &still.says;
    let of_it = |row: &&ReplySeenRow| row.source.is_empty() || row.source == still.source;
    match (&still.reply, replies.iter().find(of_it)) {
        _ if !still.rests => says.clone(),
        (Some(reply), _) => format!("{says}; the reply was {}", quoted(reply)),
        (None, Some(row)) => format!("{says}; what was said most is {}", quoted(&row.reply)),
        (None, None) => says.clone(),
    }
}

fn put(
    verdict: &mut VerdictRow,
    (provider, wait): (&str, &str),
    recipients: u64,
    lanes: &[&Still],
) {
    let row = |still: &&Still| EvidenceRow {
        says: sentence(&still.says),
        measure: "recipients_waiting".to_owned(),
        value: recipients as f64,
        of: recipients,
        weight: 0.0,
    };
    let rows: Vec<EvidenceRow> = lanes.iter().map(row).collect();
    let Some(first) = lanes.first() else { return };
    if !is_quiet(&verdict.class) {
        verdict.evidence.extend(rows);
        return;
    }
    let more = match lanes.len() - 1 {
        0 => String::new(),
        1 => ", and one more lane stands still".to_owned(),
        more => format!(", and {more} more lanes stand still"),
    };
    verdict.says = format!("{wait}: {}{more}.", first.says);
    verdict.class = WAITING.to_owned();
    // This is known, not weighed.
    verdict.confidence = 1.0;
    verdict.instead = None;
    verdict.settle.clear();
    verdict.evidence.splice(0..0, rows);
    if lanes.iter().all(|still| still.rests) {
        let says = "A lane that rests asks with one message, and goes on when that is taken; the others \
                    wait, and are not bounced for it.";
        verdict.automatic = says.to_owned();
        verdict.human = "Nothing.".to_owned();
        verdict.steps = vec![step(
            "read",
            format!(
                "Nothing needs to be done meanwhile; read what the lane has learned: postlane lanes \
                 show {provider}"
            ),
        )];
    } else {
        let says = "What an order holds waits until the order ends; it may expire meanwhile.";
        verdict.automatic = says.to_owned();
        verdict.human = "See whether the order is still meant.".to_owned();
        let read = format!("See who gave the order, and why: postlane lanes show {provider}");
        let resume =
            format!("If it is not meant any more, take it back: postlane lanes resume {provider}");
        verdict.steps = vec![step("read", read), step("resume", resume)];
    }
}

fn step(id: &str, says: String) -> StepRow {
    StepRow { id: id.to_owned(), says }
}

fn sentence(says: &str) -> String {
    let mut chars = says.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

/// A provider to which nothing was tried in the time that was looked at.
fn unseen(provider: &str) -> ProviderDiagnosis {
    let known = Providers::built_in();
    let known = known.known().iter().find(|known| known.id.as_str() == provider);
    ProviderDiagnosis {
        id: provider.to_owned(),
        name: known.map_or_else(|| provider.to_owned(), |known| known.name.to_string()),
        verdict: VerdictRow {
            class: Class::TooLittle.name().to_owned(),
            confidence: 1.0,
            says: String::new(),
            evidence: Vec::new(),
            against: Vec::new(),
            instead: None,
            settle: Vec::new(),
            steps: Vec::new(),
            automatic: String::new(),
            human: String::new(),
        },
        figures: (&Figures::default()).into(),
        elsewhere: (&Figures::default()).into(),
        sources: Vec::new(),
        changed: Vec::new(),
        replies: Vec::new(),
    }
}

fn is_quiet(class: &str) -> bool {
    Class::parse(class).is_some_and(|class| !class.is_trouble())
}
