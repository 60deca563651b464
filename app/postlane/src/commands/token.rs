//! `postlane token`: who may ask the HTTP API for what.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use postlane_api::wire::{TokenMade, TokenPage, TokenRequest, TokenRow};
use postlane_mail::{Label, Span};
use postlane_registry::Database;
use postlane_server::{Clock, registry_path};

use super::on_file::{audit, failed, label, operator};
use super::queue::which::{age, escaped};
use super::{moment, or_dash};
use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token; it is printed this once, and kept nowhere
    New(New),
    /// List all tokens, and when each was last used
    List,
    /// Revoke a token: it opens nothing any more
    Revoke {
        /// Its name
        #[arg(value_parser = label)]
        name: String,
    },
}

#[derive(Args)]
pub(crate) struct New {
    /// What it is called, in the audit and in lists
    #[arg(long, value_parser = label)]
    name: String,
    /// What it may do; several times for several
    #[arg(long = "scope", required = true, value_delimiter = ',', value_parser = PossibleValuesParser::new([
        clap::builder::PossibleValue::new("submit").help("Hand in mail, and nothing else"),
        clap::builder::PossibleValue::new("read").help("Look at queue, lanes, log, suppression list"),
        clap::builder::PossibleValue::new("operate").help("Look, and act on what is seen"),
        clap::builder::PossibleValue::new("admin").help("Everything; tokens, webhooks and the audit, too"),
    ]))]
    scopes: Vec<String>,
    /// Whose mail alone it sees and acts on [default: everybody's]
    #[arg(long, value_parser = label)]
    tenant: Option<String>,
    /// How long it holds: 12h, 90d [default: until it is revoked]
    #[arg(long, value_name = "AGE", value_parser = age)]
    expires: Option<Span>,
}

/// Where tokens are kept: the running server is asked, and where none runs its file.
enum Keeper {
    Server(Client),
    File(Box<Database>),
}

pub(crate) fn run(reach: &Reach, command: TokenCommand) -> Result<Exit, Failure> {
    let keeper = Keeper::find(reach)?;
    match command {
        TokenCommand::New(new) => make(reach, keeper, &new),
        TokenCommand::List => list(reach, keeper),
        TokenCommand::Revoke { name } => revoke(reach, keeper, &name),
    }
}

impl Keeper {
    fn find(reach: &Reach) -> Result<Self, Failure> {
        let unreached = match Client::find(reach).and_then(Client::reached) {
            Ok(client) => return Ok(Self::Server(client)),
            Err(failure) => failure,
        };
        let data = reach.data_dir();
        if reach.server.is_some() || !unreached.is_unreachable() || !data.is_dir() {
            return Err(unreached);
        }
        let file = Database::open(&registry_path(&data)).map_err(|why| failed(&why))?;
        Ok(Self::File(Box::new(file)))
    }
}

fn make(reach: &Reach, keeper: Keeper, new: &New) -> Result<Exit, Failure> {
    let request = TokenRequest {
        name: new.name.clone(),
        scopes: new.scopes.clone(),
        tenant: new.tenant.clone(),
        expires_at: None,
        lasts_s: new.expires.map(Span::as_s),
    };
    let made = match keeper {
        Keeper::Server(client) => client.post("/v1/tokens", &request)?,
        Keeper::File(mut file) => {
            let now = Clock::wall().now();
            let new = request.token(&operator(), now).map_err(|e| Failure::usage(e.says))?;
            let (token, secret) = file.add_token(&new, now).map_err(|why| failed(&why))?;
            audit(&mut file, &format!("token new {}", token.name));
            TokenMade { token: secret.as_str().to_owned(), row: TokenRow::of(&token, now) }
        }
    };
    if reach.json {
        print::json(&made);
        return Ok(Exit::Yes);
    }
    // Alone on stdout, so that a script can put it where it belongs.
    print::line(&made.token);
    let whose = match made.row.tenant.as_str() {
        "" => String::new(),
        tenant => format!(" for the tenant {tenant}"),
    };
    let until = made.row.expires_at.as_ref().map(|at| format!(", until {}", moment(at)));
    print::note(&format!(
        "{} may {}{whose}{}. The token is shown this once: keep it now",
        made.row.name,
        made.row.scopes.join(", "),
        until.unwrap_or_default(),
    ));
    Ok(Exit::Yes)
}

fn list(reach: &Reach, keeper: Keeper) -> Result<Exit, Failure> {
    let tokens = match keeper {
        Keeper::Server(client) => client.get::<TokenPage>("/v1/tokens")?.tokens,
        Keeper::File(mut file) => {
            let now = Clock::wall().now();
            let tokens = file.tokens().map_err(|why| failed(&why))?;
            tokens.iter().map(|token| TokenRow::of(token, now)).collect()
        }
    };
    if reach.json {
        tokens.iter().for_each(print::json);
        return Ok(Exit::found(!tokens.is_empty()));
    }
    if tokens.is_empty() {
        print::note(
            "there are no tokens; `postlane token new --name NAME --scope submit` makes one",
        );
        return Ok(Exit::No);
    }
    let columns = ["NAME", "MAY", "TENANT", "STATE", "USED", "EXPIRES", "CREATED", "BY"];
    let cells = |row: &TokenRow| {
        let at = |at: &Option<_>| at.as_ref().map_or_else(|| "-".to_owned(), moment);
        vec![
            row.name.clone(),
            row.scopes.join(","),
            or_dash(&row.tenant),
            row.state.clone(),
            at(&row.used_at),
            at(&row.expires_at),
            moment(&row.created_at),
            print::printable(&row.created_by),
        ]
    };
    print::table(&columns, tokens.iter().map(cells));
    Ok(Exit::Yes)
}

fn revoke(reach: &Reach, keeper: Keeper, name: &str) -> Result<Exit, Failure> {
    let revoked: TokenRow = match keeper {
        Keeper::Server(client) => client.delete(&format!("/v1/tokens/{}", escaped(name)))?,
        Keeper::File(mut file) => {
            let now = Clock::wall().now();
            let label = Label::parse(name).map_err(|e| Failure::usage(e.to_string()))?;
            let token = file.revoke_token(&label, now).map_err(|why| failed(&why))?;
            audit(&mut file, &format!("token revoke {name}"));
            TokenRow::of(&token, now)
        }
    };
    match reach.json {
        true => print::json(&revoked),
        false => print::line(&format!("{name} is revoked: it opens nothing any more")),
    }
    Ok(Exit::Yes)
}
