//! `postlane lanes`: what lanes do and why, and orders to them.

mod shown;

use clap::{Args, Subcommand};
use postlane_api::wire::{LaneOrder, LaneOrdered, LanePage, LaneQuery, LaneRow, Timestamp};
use postlane_mail::{Rate, Span, Stream};

use super::queue::which::{address, age, escaped, moment};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum LanesCommand {
    /// List all lanes, or a provider's: what each does, and why its mail waits
    List {
        /// Of this provider: its id, brand or name, or one of its domains
        provider: Option<String>,
    },
    /// Show everything about a lane: its rate, what it believes of the provider and why, who has ordered what
    Show(Show),
    /// Send nothing; transactions under way end
    Pause(Stop),
    /// Hold mail that comes from now on; older mail in the queue still goes
    HoldNew(Stop),
    /// Open no session any more; those that are open end by themselves
    Drain(Plain),
    /// Take back pause, hold-new and drain
    Resume(Plain),
    /// Go back to the last stable level of the restart plan; without a plan, to the rate that held
    /// before it was raised last
    Rollback(Plain),
    /// Keep to a rate; ceilings and rests hold, and nothing is learned of the rate meanwhile
    Pin(Pin),
    /// Go back to the rate that the lane finds out
    Unpin(Plain),
    /// Leave a source out for a provider: its mail goes by the other sources of the pool
    Exclude(OneSource),
    /// Use a source for a provider again
    Include(OneSource),
    /// Begin again with little: so many messages on the first day, more only if all went well
    #[command(subcommand)]
    RestartPlan(RestartPlan),
}

#[derive(Args)]
pub(crate) struct Show {
    /// The provider: its id, brand or name, or one of its domains
    provider: String,
    /// The source [default: all lanes of the provider, one after the other]
    source: Option<String>,
    /// As many of its last decisions
    #[arg(long, value_name = "N", default_value_t = 8, default_missing_value = "32", num_args = 0..=1)]
    decisions: usize,
}

/// To which lanes, who, and why.
#[derive(Args)]
pub(crate) struct To {
    /// The provider: its id, brand or name, or one of its domains
    provider: String,
    #[command(flatten)]
    who: Who,
}

#[derive(Args)]
pub(crate) struct Who {
    /// Why, for the log and for whoever looks at the lane
    #[arg(long, value_name = "TEXT", help_heading = "For the record")]
    why: Option<String>,
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

/// How long an order holds.
#[derive(Args)]
pub(crate) struct Lasts {
    /// So long: 90s, 15m, 2h, 7d [default: until it is taken back]
    #[arg(long = "for", value_name = "AGE", value_parser = age, conflicts_with = "until")]
    lasts: Option<Span>,
    /// Until then (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<jiff::Timestamp>,
}

#[derive(Args)]
pub(crate) struct Plain {
    #[command(flatten)]
    to: To,
    /// By this source alone [default: all lanes of the provider]
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

#[derive(Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    plain: Plain,
    /// Mail of these streams alone: transactional, engaged, cold
    #[arg(long = "stream", value_name = "STREAM", value_delimiter = ',', value_parser = stream)]
    streams: Vec<String>,
    #[command(flatten)]
    lasts: Lasts,
}

#[derive(Args)]
pub(crate) struct Pin {
    #[command(flatten)]
    plain: Plain,
    /// The rate: 2/m, 50/h, 200/10m
    #[arg(value_parser = rate)]
    rate: String,
    #[command(flatten)]
    lasts: Lasts,
}

#[derive(Args)]
pub(crate) struct OneSource {
    #[command(flatten)]
    to: To,
    /// The source's name
    source: String,
    #[command(flatten)]
    lasts: Lasts,
}

#[derive(Subcommand)]
pub(crate) enum RestartPlan {
    /// Begin a plan, in the place of one that is under way
    Start(Start),
    /// End the plan: no day cap holds any more
    Stop(Plain),
    /// Say how something is that only people see; it counts until the day turns
    Sign(Sign),
}

#[derive(Args)]
pub(crate) struct Start {
    #[command(flatten)]
    plain: Plain,
    /// Messages on each day, in rising order [default: the configuration's, else
    /// 50,100,200,400,800,1600,3200]
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    days: Vec<u32>,
    /// Stable sends in a row before the next day's cap holds [default: 2]
    #[arg(long, value_name = "N")]
    stable_sends: Option<u8>,
    /// Hours after midnight UTC at which a day begins [default: 0]
    #[arg(long, value_name = "HOURS")]
    day_begins: Option<u8>,
    /// Raise nothing while a sign is unknown (complaints, unsubscribes, headers)
    #[arg(long)]
    all_signs: bool,
}

#[derive(Args)]
pub(crate) struct Sign {
    #[command(flatten)]
    plain: Plain,
    /// complaints, unsubscribes or headers
    sign: String,
    /// clean, bad or unknown
    is: String,
}

pub(crate) fn run(reach: &Reach, command: LanesCommand) -> Result<Exit, Failure> {
    let (name, provider, order) = match command {
        LanesCommand::List { provider } => return list(reach, provider.as_deref()),
        LanesCommand::Show(of) => return show(reach, &of),
        LanesCommand::Pause(stop) => stop.order("pause"),
        LanesCommand::HoldNew(stop) => stop.order("hold-new"),
        LanesCommand::Drain(plain) => plain.order("drain"),
        LanesCommand::Resume(plain) => plain.order("resume"),
        LanesCommand::Rollback(plain) => plain.order("rollback"),
        LanesCommand::Unpin(plain) => plain.order("unpin"),
        LanesCommand::Pin(pin) => {
            let (name, provider, order) = pin.plain.order("pin");
            let order = pin.lasts.on(LaneOrder { rate: Some(pin.rate), ..order });
            (name, provider, order)
        }
        LanesCommand::Exclude(one) => one.order("exclude"),
        LanesCommand::Include(one) => one.order("include"),
        LanesCommand::RestartPlan(RestartPlan::Start(start)) => start.order(),
        LanesCommand::RestartPlan(RestartPlan::Stop(plain)) => plain.order("end-restart-plan"),
        LanesCommand::RestartPlan(RestartPlan::Sign(sign)) => {
            let (name, provider, order) = sign.plain.order("sign");
            (name, provider, LaneOrder { sign: Some(sign.sign), is: Some(sign.is), ..order })
        }
    };
    do_it(reach, name, &provider, &order)
}

impl Plain {
    fn order(self, name: &'static str) -> (&'static str, String, LaneOrder) {
        let Self { to: To { provider, who }, source } = self;
        let order = LaneOrder { source, by: Some(who.by), why: who.why, ..LaneOrder::default() };
        (name, provider, order)
    }
}

impl Stop {
    fn order(self, name: &'static str) -> (&'static str, String, LaneOrder) {
        let (name, provider, order) = self.plain.order(name);
        let order = LaneOrder { streams: self.streams, ..order };
        (name, provider, self.lasts.on(order))
    }
}

impl OneSource {
    fn order(self, name: &'static str) -> (&'static str, String, LaneOrder) {
        let plain = Plain { to: self.to, source: Some(self.source) };
        let (name, provider, order) = plain.order(name);
        (name, provider, self.lasts.on(order))
    }
}

impl Start {
    fn order(self) -> (&'static str, String, LaneOrder) {
        let (name, provider, order) = self.plain.order("restart-plan");
        let order = LaneOrder {
            days: self.days,
            stable_sends: self.stable_sends,
            day_begins_h: self.day_begins,
            all_signs: self.all_signs,
            ..order
        };
        (name, provider, order)
    }
}

impl Lasts {
    fn on(&self, order: LaneOrder) -> LaneOrder {
        LaneOrder {
            until: self.until.map(|until| Timestamp(until.to_string())),
            lasts_s: self.lasts.map(Span::as_s),
            ..order
        }
    }
}

fn list(reach: &Reach, provider: Option<&str>) -> Result<Exit, Failure> {
    let path = match provider {
        Some(provider) => format!("/v1/lanes/{}", escaped(provider)),
        None => "/v1/lanes".to_owned(),
    };
    let page: LanePage = Client::find(reach)?.get(&path)?;
    let is_any = !page.lanes.is_empty() || !page.providers.is_empty();
    if reach.json {
        print::json(&page);
        return Ok(Exit::found(is_any));
    }
    if !is_any {
        print::note("there are no lanes: no mail has gone anywhere since the server began");
        return Ok(Exit::No);
    }
    shown::list(&page);
    Ok(Exit::Yes)
}

fn show(reach: &Reach, show: &Show) -> Result<Exit, Failure> {
    let query = LaneQuery { decisions: Some(show.decisions), checks: true };
    let path = format!("/v1/lanes/{}", escaped(&show.provider));
    let client = Client::find(reach)?;
    if let Some(source) = &show.source {
        let path = format!("{path}/{}", escaped(source));
        let lane: LaneRow = client.get(&address(&path, &query))?;
        shown::lanes_or_json(reach, &[lane]);
        return Ok(Exit::Yes);
    }
    let page: LanePage = client.get(&address(&path, &query))?;
    if page.lanes.is_empty() {
        shown::providers_or_json(reach, &page);
    } else {
        shown::lanes_or_json(reach, &page.lanes);
    }
    Ok(Exit::Yes)
}

fn do_it(reach: &Reach, name: &str, provider: &str, order: &LaneOrder) -> Result<Exit, Failure> {
    let path = format!("/v1/lanes/{}/{name}", escaped(provider));
    let client = Client::find(reach)?;
    let done: LaneOrdered = client.post(&path, order)?;
    let page: Result<LanePage, Failure> =
        client.get(&format!("/v1/lanes/{}", escaped(&done.provider)));
    if page.is_ok_and(|page| page.lanes.is_empty()) {
        let provider = &done.provider;
        print::note(&format!("there is no lane to {provider} yet; that holds for those that come"));
    }
    if reach.json {
        print::json(&done);
    } else {
        print::line(&shown::done(&done));
    }
    Ok(if done.changed { Exit::Yes } else { Exit::No })
}

fn stream(text: &str) -> Result<String, String> {
    let known = Stream::parse(text).map(|stream| stream.to_string());
    known.ok_or_else(|| "it is no stream: use transactional, engaged or cold".to_owned())
}

fn rate(text: &str) -> Result<String, String> {
    Rate::parse(text).map(|_| text.to_owned()).map_err(|e| e.to_string())
}
