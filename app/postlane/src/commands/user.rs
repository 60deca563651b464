//! `postlane user`: who may sign in at the dashboard.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use postlane_api::password::hashed;
use postlane_api::wire::UserRow;
use postlane_mail::Label;
use postlane_registry::{Database, NewUser, RegistryError, Role, User};
use postlane_server::{Clock, registry_path};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::on_file::{audit, failed, label, operator};
use super::{moment, or_dash};
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Make somebody who can sign in; the password is asked for
    Add(Add),
    /// List everybody who can or could sign in, and when they did last
    List,
    /// Give somebody another password, and end their sessions
    Passwd {
        /// Their name
        #[arg(value_parser = label)]
        name: String,
        #[command(flatten)]
        password: Password,
    },
    /// Let somebody sign in no more, and end their sessions
    Disable {
        /// Their name
        #[arg(value_parser = label)]
        name: String,
        /// Let them sign in again
        #[arg(long)]
        undo: bool,
    },
}

#[derive(Args)]
pub(crate) struct Add {
    /// What they are called, at the sign-in and in the audit
    #[arg(value_parser = label)]
    name: String,
    /// What they may do
    #[arg(long, default_value = "viewer", value_parser = PossibleValuesParser::new([
        clap::builder::PossibleValue::new("viewer").help("Look at everything but tokens and the audit"),
        clap::builder::PossibleValue::new("operator").help("Look, and act on queue, lanes and incidents"),
        clap::builder::PossibleValue::new("admin").help("Everything"),
    ]))]
    role: String,
    /// Whose mail alone they see and act on [default: everybody's]
    #[arg(long, value_parser = label)]
    tenant: Option<String>,
    #[command(flatten)]
    password: Password,
}

/// Where the password comes from: never from the command line, which others can see.
#[derive(Args)]
pub(crate) struct Password {
    /// Read the password from the first line of standard input rather than ask for it
    #[arg(long)]
    password_stdin: bool,
}

pub(crate) fn run(reach: &Reach, command: UserCommand) -> Result<Exit, Failure> {
    let data = reach.data_dir();
    if reach.server.is_some() || !data.is_dir() {
        let says = format!(
            "people are kept in the server's data directory, and {} is none: run this where the \
             server is, with --data DIR",
            data.display()
        );
        return Err(Failure::usage(says));
    }
    // A running server sees at once what is written here.
    let mut file = Database::open(&registry_path(&data)).map_err(|why| failed(&why))?;
    match command {
        UserCommand::Add(add) => make(reach, &mut file, &add),
        UserCommand::List => list(reach, &mut file),
        UserCommand::Passwd { name, password } => {
            let name = named(&name)?;
            known(&mut file, &name)?;
            let kept = password.read()?;
            file.set_password(&name, &kept).map_err(|why| failed(&why))?;
            audit(&mut file, &format!("user passwd {name}"));
            print::line(&format!("{name} has another password, and is signed in nowhere"));
            Ok(Exit::Yes)
        }
        UserCommand::Disable { name, undo } => disable(&mut file, &named(&name)?, undo),
    }
}

fn make(reach: &Reach, file: &mut Database, add: &Add) -> Result<Exit, Failure> {
    let new = NewUser {
        name: named(&add.name)?,
        role: Role::parse(&add.role).unwrap_or(Role::Viewer),
        tenant: add.tenant.as_deref().map_or(Ok(Label::NONE), named)?,
        by: operator(),
        password: add.password.read()?,
    };
    let user = file.add_user(&new, Clock::wall().now()).map_err(|why| failed(&why))?;
    audit(file, &format!("user add {}, {}", user.name, user.role));
    if reach.json {
        print::json(&UserRow::from(&user));
        return Ok(Exit::Yes);
    }
    let whose = match user.tenant.is_none() {
        true => String::new(),
        false => format!(" of the tenant {}", user.tenant),
    };
    print::line(&format!("{} can sign in as {}{whose}", user.name, user.role));
    Ok(Exit::Yes)
}

fn list(reach: &Reach, file: &mut Database) -> Result<Exit, Failure> {
    let users = file.users().map_err(|why| failed(&why))?;
    let rows: Vec<UserRow> = users.iter().map(UserRow::from).collect();
    if reach.json {
        rows.iter().for_each(print::json);
        return Ok(Exit::found(!rows.is_empty()));
    }
    if rows.is_empty() {
        print::note("nobody can sign in; `postlane user add NAME --role admin` makes the first");
        return Ok(Exit::No);
    }
    let columns = ["NAME", "ROLE", "TENANT", "SIGNED IN", "DISABLED", "CREATED", "BY"];
    let cells = |row: &UserRow| {
        let at = |at: &Option<_>| at.as_ref().map_or_else(|| "-".to_owned(), moment);
        vec![
            row.name.clone(),
            row.role.clone(),
            or_dash(&row.tenant),
            at(&row.signed_in_at),
            at(&row.disabled_at),
            moment(&row.created_at),
            print::printable(&row.created_by),
        ]
    };
    print::table(&columns, rows.iter().map(cells));
    Ok(Exit::Yes)
}

fn disable(file: &mut Database, name: &Label, undo: bool) -> Result<Exit, Failure> {
    let since = (!undo).then(|| Clock::wall().now());
    file.disable_user(name, since).map_err(|why| failed(&why))?;
    let (what, says) = match undo {
        true => ("user enable", "can sign in again"),
        false => ("user disable", "can sign in no more, and is signed in nowhere"),
    };
    audit(file, &format!("{what} {name}"));
    print::line(&format!("{name} {says}"));
    Ok(Exit::Yes)
}

fn known(file: &mut Database, name: &Label) -> Result<User, Failure> {
    let found = file.user(name.as_str()).map_err(|why| failed(&why))?;
    let unknown = || RegistryError::Unknown { what: "user", name: name.to_string() };
    found.ok_or_else(|| failed(&unknown()))
}

impl Password {
    /// The password, hashed; what was typed is not kept.
    fn read(&self) -> Result<String, Failure> {
        let text = match self.password_stdin {
            true => line()?,
            false if io::stdin().is_terminal() => asked()?,
            false => {
                let says = "there is no terminal to ask for the password: give it on standard \
                            input with --password-stdin";
                return Err(Failure::usage(says));
            }
        };
        hashed(&text).map_err(|why| Failure::usage(why.to_string()))
    }
}

/// Asks twice, without showing what is typed.
fn asked() -> Result<String, Failure> {
    let first = unseen("Password: ")?;
    let second = unseen("Once more: ")?;
    match first == second {
        true => Ok(first),
        false => Err(Failure::usage("the two are not the same: nothing was changed")),
    }
}

fn unseen(prompt: &str) -> Result<String, Failure> {
    let failed = |e: io::Error| Failure::new(Exit::Undetermined, e.to_string());
    let mut out = io::stderr();
    write!(out, "{prompt}").and_then(|()| out.flush()).map_err(failed)?;
    let shown = tcgetattr(io::stdin()).map_err(|e| failed(e.into()))?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).map_err(|e| failed(e.into()))?;
    let text = line();
    // Whatever came, the terminal shows again what is typed.
    tcsetattr(io::stdin(), OptionalActions::Flush, &shown).map_err(|e| failed(e.into()))?;
    writeln!(out).map_err(failed)?;
    text
}

fn line() -> Result<String, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().read_line(&mut text);
    read.map_err(|e| Failure::usage(format!("the password cannot be read: {e}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn named(text: &str) -> Result<Label, Failure> {
    Label::parse(text).map_err(|e| Failure::usage(e.to_string()))
}
