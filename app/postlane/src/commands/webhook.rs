//! `postlane webhook`: other programs that are told what happens.

use clap::{Args, Subcommand};
use postlane_api::wire::{
    Timestamp, WebhookMade, WebhookOrder, WebhookOrdered, WebhookPage, WebhookRequest, WebhookRow,
};
use postlane_mail::Span;

use super::queue::which::{age, escaped};
use super::{moment, or_dash};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum WebhookCommand {
    /// Tell a URL what happens from now on; prints the secret that messages are signed with, once
    Add(Add),
    /// List webhooks, and how telling them goes
    List,
    /// Tell a webhook nothing more
    Remove {
        /// Its name
        name: String,
    },
    /// Send a webhook a message to try it, and say what it answers
    Test {
        /// Its name
        name: String,
    },
    /// Tell a webhook nothing until it is resumed
    Pause {
        /// Its name
        name: String,
    },
    /// Go on telling a webhook, from where it was
    Resume {
        /// Its name
        name: String,
    },
    /// Tell a webhook again what has happened since a moment
    Replay {
        /// Its name
        name: String,
        /// How long ago (90s, 15m, 2h, 1d), or a moment (RFC 3339)
        #[arg(long, value_name = "TIME", value_parser = since)]
        since: jiff::Timestamp,
    },
    /// Give a webhook a new secret; messages are signed with the old one, too, for a while
    RotateSecret {
        /// Its name
        name: String,
        /// How long
        #[arg(long, value_name = "AGE", value_parser = age, default_value = "1d")]
        overlap: Span,
    },
}

#[derive(Args)]
pub(crate) struct Add {
    /// Where it is told: `https://shop.example/hooks/postlane`
    url: String,
    /// Of which events: delivered,deferred,bounced,expired,complaint,… [default: all]
    #[arg(long, value_delimiter = ',')]
    events: Vec<String>,
    /// In whose mail [default: everybody's]
    #[arg(long)]
    tenant: Option<String>,
    /// What it is called [default: the URL's host]
    #[arg(long)]
    name: Option<String>,
}

pub(crate) fn run(reach: &Reach, command: WebhookCommand) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    let order =
        |name: &str, command: &str, order: WebhookOrder| -> Result<WebhookOrdered, Failure> {
            client.post(&format!("/v1/webhooks/{}/{command}", escaped(name)), &order)
        };
    let none = WebhookOrder::default;
    match command {
        WebhookCommand::Add(new) => add(reach, &client, new),
        WebhookCommand::List => list(reach, &client),
        WebhookCommand::Remove { name } => {
            let path = format!("/v1/webhooks/{}", escaped(&name));
            let row: WebhookRow = client.delete(&path)?;
            Ok(done(reach, &row, "is told nothing more"))
        }
        WebhookCommand::Test { name } => Ok(tested(reach, &order(&name, "test", none())?)),
        WebhookCommand::Pause { name } => {
            Ok(done(reach, &order(&name, "pause", none())?.webhook, "is paused"))
        }
        WebhookCommand::Resume { name } => Ok(done(
            reach,
            &order(&name, "resume", none())?.webhook,
            "is told again, from where it was",
        )),
        WebhookCommand::Replay { name, since } => {
            let asked = WebhookOrder { since: Some(Timestamp(since.to_string())), ..none() };
            let row = order(&name, "replay", asked)?.webhook;
            Ok(done(reach, &row, &format!("is told again what has happened since {since:.0}")))
        }
        WebhookCommand::RotateSecret { name, overlap } => {
            let asked = WebhookOrder { overlap_s: Some(overlap.as_s()), ..none() };
            let rotated = order(&name, "rotate-secret", asked)?;
            if reach.json {
                print::json(&rotated);
                return Ok(Exit::Yes);
            }
            print::line(rotated.secret.as_deref().unwrap_or_default());
            print::note(&format!(
                "messages to {name} are signed with this, and for {overlap} with the old one, too. It is \
                 shown this once"
            ));
            Ok(Exit::Yes)
        }
    }
}

fn add(reach: &Reach, client: &Client, new: Add) -> Result<Exit, Failure> {
    let Add { url, events, tenant, name } = new;
    let made: WebhookMade =
        client.post("/v1/webhooks", &WebhookRequest { url, name, events, tenant })?;
    if reach.json {
        print::json(&made);
        return Ok(Exit::Yes);
    }
    print::line(&made.secret);
    let name = &made.row.name;
    print::note(&format!(
        "the webhook {name} is told what happens from now on. Its messages are signed with this secret, which \
         is shown this once; `postlane webhook test {name}` tries it"
    ));
    Ok(Exit::Yes)
}

fn list(reach: &Reach, client: &Client) -> Result<Exit, Failure> {
    let webhooks = client.get::<WebhookPage>("/v1/webhooks")?.webhooks;
    if reach.json {
        webhooks.iter().for_each(print::json);
        return Ok(Exit::found(!webhooks.is_empty()));
    }
    if webhooks.is_empty() {
        print::note("there are no webhooks; `postlane webhook add URL` makes one");
        return Ok(Exit::No);
    }
    let columns =
        ["NAME", "STATE", "EVENTS", "TENANT", "TOLD", "NEXT TRY", "URL", "WRONG SINCE", "WRONG"];
    let cells = |row: &WebhookRow| {
        let at = |at: &Option<_>| at.as_ref().map_or_else(|| "-".to_owned(), moment);
        let events = if row.events.is_empty() { "all".to_owned() } else { row.events.join(",") };
        vec![
            row.name.clone(),
            row.state.clone(),
            events,
            or_dash(&row.tenant),
            at(&row.told_at),
            at(&row.next_try_at),
            print::printable(&row.url),
            at(&row.failing_since),
            or_dash(&row.error),
        ]
    };
    print::table(&columns, webhooks.iter().map(cells));
    Ok(Exit::Yes)
}

fn done(reach: &Reach, row: &WebhookRow, says: &str) -> Exit {
    match reach.json {
        true => print::json(row),
        false => print::line(&format!("{} {says}", row.name)),
    }
    Exit::Yes
}

fn tested(reach: &Reach, ordered: &WebhookOrdered) -> Exit {
    let Some(test) = &ordered.test else { return Exit::Undetermined };
    let is_taken = test.error.is_empty();
    match (reach.json, is_taken) {
        (true, _) => print::json(test),
        (false, true) => {
            let status = test.status.unwrap_or_default();
            print::line(&format!(
                "{} took it: {status}, in {} ms",
                ordered.webhook.name, test.took_ms
            ));
        }
        (false, false) => {
            print::line(&format!(
                "{} did not take it: {}",
                ordered.webhook.name,
                print::printable(&test.error)
            ));
        }
    }
    if is_taken { Exit::Yes } else { Exit::No }
}

fn since(text: &str) -> Result<jiff::Timestamp, String> {
    if let Ok(ago) = age(text) {
        let ago = jiff::SignedDuration::from_secs(i64::try_from(ago.as_s()).unwrap_or(i64::MAX));
        return jiff::Timestamp::now().checked_sub(ago).map_err(|e| e.to_string());
    }
    text.parse()
        .map_err(|_| "say how long ago (2h, 1d), or a moment: 2026-11-21T05:39:05Z".to_owned())
}
