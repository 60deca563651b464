//! `postlane incidents`: what is wrong for a while, and what is done about it.

use clap::{Args, Subcommand};
use postlane_api::wire::{
    IncidentOrderRequest, IncidentPage, IncidentQuery, IncidentRow, IncidentStory, Timestamp,
};

use super::log::written;
use super::queue::which::escaped;
use super::{moment, or_dash};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum IncidentsCommand {
    /// List what is wrong now; status 1 if anything is
    List(List),
    /// Show one: why, what had changed before, what is to be done, and what became of it
    Show {
        /// Its number
        id: u64,
    },
    /// Check a step off: it is done
    Tick(Tick),
    /// Take one on: somebody sees to it
    Acknowledge(To),
    /// Write something to one
    Note {
        #[command(flatten)]
        to: To,
        /// What
        text: String,
    },
    /// Say that one is over; if it is not, it comes back
    Close {
        #[command(flatten)]
        to: To,
        /// Why
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
}

#[derive(Args)]
pub(crate) struct List {
    /// Those that are over, too
    #[arg(long, conflicts_with = "closed")]
    all: bool,
    /// Those that are over
    #[arg(long)]
    closed: bool,
    /// At this provider: its id, brand or name, or one of its domains
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Of this kind: throttle, block, webhook_paused, …
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Seen then or later: a moment (RFC 3339), or how long ago: 30m, 24h, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

#[derive(Args)]
pub(crate) struct Tick {
    #[command(flatten)]
    to: To,
    /// The step's name, as `show` has it
    step: String,
    /// It is not done after all
    #[arg(long)]
    undo: bool,
}

#[derive(Args)]
pub(crate) struct To {
    /// Its number
    id: u64,
    /// Who does it
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        hide_env_values = true,
        default_value = "operator",
        help_heading = "For the record"
    )]
    by: String,
}

pub(crate) fn run(reach: &Reach, command: IncidentsCommand) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    let path = |to: &To, what: &str| format!("/v1/incidents/{}/{what}", to.id);
    let order = |to: &To| IncidentOrderRequest { by: Some(to.by.clone()), ..Default::default() };
    let (story, says): (IncidentStory, String) = match command {
        IncidentsCommand::List(which) => return list(reach, &client, which),
        IncidentsCommand::Show { id } => {
            let story = client.get(&format!("/v1/incidents/{id}"))?;
            match reach.json {
                true => print::json(&story),
                false => show(&story),
            }
            return Ok(Exit::Yes);
        }
        IncidentsCommand::Tick(Tick { to, step, undo }) => {
            let path = path(&to, &format!("steps/{}", escaped(&step)));
            match undo {
                true => (client.delete(&path)?, format!("{step} is to be done again")),
                false => (client.post(&path, &order(&to))?, format!("{step} is done")),
            }
        }
        IncidentsCommand::Acknowledge(to) => {
            (client.post(&path(&to, "acknowledge"), &order(&to))?, format!("{} has it", to.by))
        }
        IncidentsCommand::Note { to, text } => {
            let order = IncidentOrderRequest { says: Some(text), ..order(&to) };
            (client.post(&path(&to, "note"), &order)?, "it is written down".to_owned())
        }
        IncidentsCommand::Close { to, why } => {
            let order = IncidentOrderRequest { why: Some(why), ..order(&to) };
            (client.post(&path(&to, "close"), &order)?, "it is closed".to_owned())
        }
    };
    match reach.json {
        true => print::json(&story),
        false => {
            print::line(&print::printable(&format!("incident {}: {says}", story.incident.id)));
        }
    }
    Ok(Exit::Yes)
}

fn list(reach: &Reach, client: &Client, which: List) -> Result<Exit, Failure> {
    let List { all, closed, provider, kind, since, limit } = which;
    let state = match (all, closed) {
        (true, _) => "all",
        (_, true) => "closed",
        _ => "open",
    };
    let state = Some(state.to_owned());
    let query = IncidentQuery { state, provider, kind, since, limit: Some(limit), cursor: None };
    let page: IncidentPage = client.get(&format!("/v1/incidents?{}", written(&query)))?;
    let is_wrong = page.incidents.iter().any(|row| row.state != "closed");
    if reach.json {
        page.incidents.iter().for_each(print::json);
    } else if page.incidents.is_empty() {
        print::note(match (all, closed) {
            (false, false) => "nothing is wrong; --all lists what was",
            _ => "nothing was wrong",
        });
    } else {
        let columns =
            ["ID", "STATE", "SINCE", "SEEN", "PROVIDER", "WRONG", "WITH", "MAIL", "STEPS"];
        print::table(&columns, page.incidents.iter().map(cells));
    }
    Ok(if is_wrong { Exit::No } else { Exit::Yes })
}

fn cells(row: &IncidentRow) -> Vec<String> {
    let done = row.steps.iter().filter(|step| step.done_at.is_some()).count();
    let with = [&row.webhook, &row.source, &row.subject].into_iter().find(|name| !name.is_empty());
    vec![
        row.id.to_string(),
        row.state.clone(),
        moment(&row.opened_at),
        moment(&row.seen_at),
        or_dash(&row.provider),
        row.title.clone(),
        or_dash(with.map_or("", |name| name)),
        (row.delayed + row.bounced + row.expired).to_string(),
        format!("{done}/{}", row.steps.len()),
    ]
}

fn show(story: &IncidentStory) {
    let row = &story.incident;
    let field = |name: &str, says: &str| print::field(name, &print::printable(says));
    let at = |at: &Option<Timestamp>| at.as_ref().map(moment).unwrap_or_default();
    let about = [&row.provider, &row.source, &row.webhook, &row.subject, &row.of].into_iter();
    let about: Vec<&str> = about.map(|name| &**name).filter(|name| !name.is_empty()).collect();
    field("incident", &format!("{}, {}: {}", row.id, row.title, about.join(", ")));
    let state = match &*row.state {
        "closed" if row.closed_by.is_empty() => {
            format!("closed {}: {}", at(&row.closed_at), row.closed_why)
        }
        "closed" => {
            format!("closed {} by {}: {}", at(&row.closed_at), row.closed_by, row.closed_why)
        }
        "acknowledged" => {
            format!("{} has it since {}", row.acknowledged_by, at(&row.acknowledged_at))
        }
        _ => "open, and nobody has taken it on".to_owned(),
    };
    field("state", &state);
    let again = match row.reopened {
        0 => String::new(),
        1 => ", came back once".to_owned(),
        many => format!(", came back {many} times"),
    };
    field("seen", &format!("{} to {}{again}", moment(&row.opened_at), moment(&row.seen_at)));
    if !row.tenant.is_empty() {
        field("tenant", &row.tenant);
    }
    field("wrong", &format!("{} ({:.0} % sure)", row.says, row.confidence * 100.0));
    field(
        "mail",
        &format!(
            "{} recipients deferred at first, {} refused for good, {} expired",
            row.delayed, row.bounced, row.expired
        ),
    );
    list_of("why", &story.evidence);
    list_of("against", &story.against);
    let changed = |of: &postlane_api::wire::ChangedRow| match &of.at {
        Some(at) => format!("{}  {}", moment(at), of.says),
        None => of.says.clone(),
    };
    list_of("changed", &story.changed.iter().map(changed).collect::<Vec<_>>());
    let mut name = "to do";
    for step in &row.steps {
        let done = match &step.done_at {
            Some(at) => {
                format!("[x] {}  {} ({}, {})", step.id, step.says, step.done_by, moment(at))
            }
            None => format!("[ ] {}  {}", step.id, step.says),
        };
        field(name, &done);
        name = "";
    }
    let event = |event: &postlane_api::wire::IncidentEventRow| {
        let by = if event.by.is_empty() { String::new() } else { format!(" by {}", event.by) };
        format!("{}  {}{by}  {}", moment(&event.at), event.what, event.says)
    };
    list_of("history", &story.history.iter().map(event).collect::<Vec<_>>());
}

fn list_of(name: &str, says: &[String]) {
    let mut name = name;
    for text in says {
        print::field(name, &print::printable(text));
        name = "";
    }
}
