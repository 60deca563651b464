//! `postlane queue`: look at what waits, and act on it.

use std::io::IsTerminal as _;

use clap::{Args, Subcommand};
use postlane_api::wire::{
    Act, Acted, FilterQuery, QueueMessage, QueuePage, QueueRow, SummaryPage, SummaryRow,
};
use postlane_mail::Span;

use crate::cli::Reach;
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;

#[derive(Subcommand)]
pub(crate) enum QueueCommand {
    /// List recipients that still wait, oldest first
    List(List),
    /// Show one message: its headers and its recipients
    Show {
        /// The message's queue id
        id: String,
    },
    /// How much waits, by provider and age
    Summary(Which),
    /// Make mail due now; pace and ceilings hold
    Retry(Which),
    /// Make mail due now, in front of its stream; pace and ceilings hold
    DeliverNow(Which),
    /// Keep mail and stop its clock
    Hold(Which),
    /// Let held mail go on
    Release(Which),
    /// Give mail up, with a report to the sender
    Bounce(Which),
    /// Give mail up, and tell nobody
    Delete(Which),
}

/// Which mail: all that agrees with everything given.
#[derive(Args)]
pub(crate) struct Which {
    /// Queue ids
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// To this domain
    #[arg(long)]
    domain: Option<String>,
    /// At this provider
    #[arg(long)]
    provider: Option<String>,
    /// transactional, engaged or cold
    #[arg(long)]
    stream: Option<String>,
    /// Of this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Of this campaign
    #[arg(long)]
    campaign: Option<String>,
    /// active, ready, deferred or held
    #[arg(long)]
    status: Option<String>,
    /// Accepted longer ago than this: 90s, 15m, 2h, 1d
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Span>,
    /// Accepted less long ago than this
    #[arg(long, value_name = "AGE", value_parser = age)]
    younger_than: Option<Span>,
    /// All mail, when nothing else is given
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    /// Recipients, at most; all when it is left out
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

pub(crate) fn run(reach: &Reach, command: QueueCommand) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    match command {
        QueueCommand::List(list_of) => list(reach, &client, list_of),
        QueueCommand::Show { id } => show(reach, &client, &id),
        QueueCommand::Summary(which) => summary(reach, &client, which),
        QueueCommand::Retry(which) => act(reach, &client, "retry", which),
        QueueCommand::DeliverNow(which) => act(reach, &client, "deliver-now", which),
        QueueCommand::Hold(which) => act(reach, &client, "hold", which),
        QueueCommand::Release(which) => act(reach, &client, "release", which),
        QueueCommand::Bounce(which) => act(reach, &client, "bounce", which),
        QueueCommand::Delete(which) => act(reach, &client, "delete", which),
    }
}

fn list(reach: &Reach, client: &Client, list: List) -> Result<Exit, Failure> {
    const PAGE: usize = 1000;
    let mut query = list.which.query();
    let mut left = list.limit.unwrap_or(usize::MAX);
    let mut any = false;
    while left > 0 {
        query.limit = Some(u32::try_from(left.min(PAGE)).unwrap_or(u32::MAX));
        let page: QueuePage = client.get(&address("/v1/queue", &query))?;
        left = left.saturating_sub(page.recipients.len());
        any |= !page.recipients.is_empty();
        if reach.json {
            page.recipients.iter().for_each(print::json);
        } else if !page.recipients.is_empty() {
            rows(&page.recipients);
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    if !any && !reach.json {
        print::note("nothing waits that agrees with this");
    }
    Ok(if any { Exit::Yes } else { Exit::No })
}

fn rows(rows: &[QueueRow]) {
    let header = [
        "ID",
        "RECIPIENT",
        "PROVIDER",
        "STREAM",
        "STATUS",
        "TRIES",
        "NEXT",
        "WAITING",
        "LAST REPLY",
    ];
    print::table(&header, rows.iter().map(row));
}

fn row(row: &QueueRow) -> Vec<String> {
    let moment = |at: &postlane_api::wire::Timestamp| at.0.clone();
    vec![
        row.id.clone(),
        printable(&row.recipient),
        row.provider.clone().unwrap_or_else(|| "-".to_owned()),
        row.stream.clone(),
        row.status.clone(),
        row.attempts.to_string(),
        row.next_attempt_at.as_ref().map_or_else(|| "-".to_owned(), moment),
        row.waiting.as_ref().map_or_else(|| "-".to_owned(), |waiting| waiting.reason.clone()),
        row.last_reply.as_ref().map_or_else(
            || "-".to_owned(),
            |last| printable(&format!("{} {}", last.code, last.text)),
        ),
    ]
}

/// What others wrote must not move the cursor or colour the screen.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn show(reach: &Reach, client: &Client, id: &str) -> Result<Exit, Failure> {
    let message: QueueMessage = client.get(&format!("/v1/queue/{}", escaped(id)))?;
    if reach.json {
        print::json(&message);
        return Ok(Exit::Yes);
    }
    print::line(&format!("id          {}", message.id));
    print::line(&format!("from        <{}>", printable(&message.sender)));
    print::line(&format!("octets      {}", message.octets));
    print::line("");
    rows(&message.recipients);
    print::line("");
    for text in message.headers.lines() {
        print::line(&printable(text));
    }
    Ok(Exit::Yes)
}

fn summary(reach: &Reach, client: &Client, which: Which) -> Result<Exit, Failure> {
    let page: SummaryPage = client.get(&address("/v1/queue/summary", &which.query()))?;
    if reach.json {
        print::json(&page);
    } else {
        let ages = page.ages_min.iter().map(ToString::to_string);
        let last = page.ages_min.last().map(|last| format!("{last}+"));
        let mut header = vec!["PROVIDER".to_owned(), "TOTAL".to_owned()];
        header.extend(ages.chain(last));
        header.extend(["ACTIVE", "READY", "DEFERRED", "HELD"].map(str::to_owned));
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        print::table(&header, page.providers.iter().map(summary_row));
    }
    Ok(if page.providers.is_empty() { Exit::No } else { Exit::Yes })
}

fn summary_row(row: &SummaryRow) -> Vec<String> {
    let mut cells = vec![row.provider.clone(), row.recipients.to_string()];
    cells.extend(row.by_age.iter().map(ToString::to_string));
    cells.extend([row.active, row.ready, row.deferred, row.held].map(|n| n.to_string()));
    cells
}

fn act(reach: &Reach, client: &Client, action: &str, which: Which) -> Result<Exit, Failure> {
    let everything = which.all;
    let filter = which.query();
    let act = Act { action: action.to_owned(), filter, everything };
    let acted: Acted = client.post("/v1/queue/actions", &act)?;
    if reach.json {
        print::json(&acted);
    } else {
        let many = if acted.recipients == 1 { "recipient" } else { "recipients" };
        print::line(&format!("{action}: {} {many}", acted.recipients));
        if std::io::stdout().is_terminal() && acted.recipients == 0 {
            print::note("nothing waits that agrees with this");
        }
    }
    Ok(if acted.recipients > 0 { Exit::Yes } else { Exit::No })
}

impl Which {
    fn query(&self) -> FilterQuery {
        FilterQuery {
            id: (!self.ids.is_empty()).then(|| self.ids.join(",")),
            domain: self.domain.clone(),
            provider: self.provider.clone(),
            stream: self.stream.clone(),
            tenant: self.tenant.clone(),
            campaign: self.campaign.clone(),
            status: self.status.clone(),
            older_than_s: self.older_than.map(Span::as_s),
            younger_than_s: self.younger_than.map(Span::as_s),
            cursor: None,
            limit: None,
        }
    }
}

fn address(path: &str, query: &FilterQuery) -> String {
    let value = serde_json::to_value(query).unwrap_or_default();
    let mut address = path.to_owned();
    for (i, (name, value)) in value.as_object().into_iter().flatten().enumerate() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        address.push(if i == 0 { '?' } else { '&' });
        address.push_str(&format!("{name}={}", escaped(&text)));
    }
    address
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let one = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(one).collect()
}

fn age(text: &str) -> Result<Span, String> {
    let units = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let read = units.iter().find_map(|(unit, seconds)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*seconds)
    });
    read.map(Span::from_s)
        .ok_or_else(|| "an age is a number with s, m, h or d: 90s, 15m".to_owned())
}
