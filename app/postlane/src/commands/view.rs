//! `postlane view`: questions that somebody wants to ask again.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use postlane_api::wire::{VIEW_PAGES, ViewPage, ViewRequest, ViewRow};

use super::moment;
use super::queue::which::escaped;
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum ViewCommand {
    /// List saved views
    List,
    /// Save a view, in the place of the one of that name
    Save(Save),
    /// Remove a view
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Args)]
pub(crate) struct Save {
    /// What it is called: 'GMX 421, last 24 h'
    name: String,
    /// What it looks at
    #[arg(long, value_parser = PossibleValuesParser::new(VIEW_PAGES), default_value = "log")]
    page: String,
    /// The query, as the API has it behind the `?`: provider=united-internet&code=421
    #[arg(long)]
    query: String,
}

pub(crate) fn run(reach: &Reach, command: ViewCommand) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    match command {
        ViewCommand::List => list(reach, &client),
        ViewCommand::Save(Save { name, page, query }) => {
            let saved: ViewRow = client.put("/v1/views", &ViewRequest { name, page, query })?;
            match reach.json {
                true => print::json(&saved),
                false => print::line(&format!("{} is saved", print::printable(&saved.name))),
            }
            Ok(Exit::Yes)
        }
        ViewCommand::Remove { name } => {
            client.remove(&format!("/v1/views/{}", escaped(&name)))?;
            if !reach.json {
                print::line(&format!("{} is gone", print::printable(&name)));
            }
            Ok(Exit::Yes)
        }
    }
}

fn list(reach: &Reach, client: &Client) -> Result<Exit, Failure> {
    let views = client.get::<ViewPage>("/v1/views")?.views;
    if reach.json {
        views.iter().for_each(print::json);
        return Ok(Exit::found(!views.is_empty()));
    }
    if views.is_empty() {
        print::note("no view is saved; `postlane view save NAME --query QUERY` saves one");
        return Ok(Exit::No);
    }
    let cells = |row: &ViewRow| {
        let texts = [&row.name, &row.page, &row.query].map(|text| print::printable(text));
        let changed = [moment(&row.changed_at), print::printable(&row.changed_by)];
        texts.into_iter().chain(changed).collect()
    };
    print::table(&["NAME", "OF", "QUERY", "SAVED", "BY"], views.iter().map(cells));
    Ok(Exit::Yes)
}
