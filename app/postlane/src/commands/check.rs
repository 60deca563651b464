//! `postlane check`: what a receiver would make of a message, or of who sends it.

mod address;
mod domain;
mod message;
mod report;
mod spf;

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use postlane_checks::Known;
use postlane_checks::blocklist::{Keys, Lists};
use postlane_inspection::{Asked, read_answers, write_answers};
use postlane_net::dns::{Freshness, NameServers, Resolver, ResolverSettings};
use postlane_net::enquiry::{Enquiry, Mapped};
use postlane_net::tls::Trust;

use crate::exit::{Exit, Failure};
use crate::reach::socket_address;

/// What is looked at.
#[derive(Subcommand)]
pub(crate) enum CheckCommand {
    /// Look at a message as a receiver would: form, SPF, DKIM, DMARC, ARC, and what bulk mail needs
    Message(Box<message::CheckMessage>),
    /// Look at what a domain publishes: MX, SPF, DKIM, DMARC, MTA-STS, TLSA, BIMI, its name servers
    Domain(Box<domain::CheckDomain>),
    /// Look at an address that sends: its name, what it says in EHLO, and the block lists
    Ip(Box<address::CheckIp>),
    /// Say whether a domain lets an address send, and why
    Spf(Box<spf::CheckSpf>),
}

/// Where answers come from.
#[derive(Args)]
pub(crate) struct Answers {
    /// Ask this DNS resolver rather than the system's
    #[arg(long, value_name = "ADDR:PORT", value_parser = socket_address)]
    resolver: Vec<SocketAddr>,
    /// Write down every question with its answer, for --replay
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Answer from that file and ask nobody; what is not in it cannot be found out
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resolver", "record"])]
    replay: Option<PathBuf>,
    /// Ask this block list with a key of your own; a file of --record holds it
    #[arg(long, value_name = "LIST=KEY")]
    blocklist_key: Vec<String>,
}

/// Who brings a message.
#[derive(Args)]
pub(crate) struct Bringer {
    /// The address the mail comes from
    #[arg(long, value_name = "ADDR")]
    ip: Option<IpAddr>,
    /// The name given with EHLO
    #[arg(long, value_name = "NAME", default_value = "unknown")]
    helo: String,
    /// The envelope's sender; `<>` for the null one
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    mail_from: String,
}

impl Bringer {
    /// The reverse-path without brackets.
    fn reverse_path(&self) -> &str {
        self.mail_from.trim_start_matches('<').trim_end_matches('>')
    }
}

pub(crate) fn run(command: &CheckCommand, json: bool) -> Result<Exit, Failure> {
    match command {
        CheckCommand::Message(check) => message::run(check, json),
        CheckCommand::Domain(check) => domain::run(check, json),
        CheckCommand::Ip(check) => address::run(check, json),
        CheckCommand::Spf(check) => spf::run(check, json),
    }
}

/// How servers are called beside the resolver.
#[derive(Args)]
struct Callers {
    /// Call a host at another address than its own
    #[arg(long, value_name = "HOST:PORT=ADDR:PORT")]
    map: Vec<String>,
    /// Believe the certificate authorities in this file (PEM), too
    #[arg(long, value_name = "FILE")]
    extra_root: Vec<PathBuf>,
}

impl Callers {
    fn enquiry(&self, resolver: Resolver) -> Result<Enquiry, Failure> {
        let mapped = Mapped::parse(self.map.iter().map(String::as_str));
        let mapped = mapped.map_err(|e| Failure::usage(e.to_string()))?;
        let trust =
            Trust::with_roots(&self.extra_root).map_err(|e| Failure::usage(e.to_string()))?;
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Ok(Enquiry::new(resolver, trust, mapped, &host))
    }
}

impl Answers {
    /// Runs a look again and again, until it has all answers it asks of the DNS.
    pub(crate) fn run<T>(&self, look: impl FnMut(&mut Known) -> Option<T>) -> Result<T, Failure> {
        let asked =
            self.resolver()?.map_or(Asked::Nobody, |resolver| Asked::Dns(resolver, Freshness::Now));
        self.ask(&asked, look)
    }

    /// Whether it was said where they come from.
    pub(crate) fn are_given(&self) -> bool {
        let Self { resolver, record, replay, blocklist_key } = self;
        !resolver.is_empty() || record.is_some() || replay.is_some() || !blocklist_key.is_empty()
    }

    /// The same with answers of name servers, web servers and exchangers, too.
    fn run_with<T>(
        &self,
        callers: &Callers,
        look: impl FnMut(&mut Known) -> Option<T>,
    ) -> Result<T, Failure> {
        let asked = match self.resolver()? {
            Some(resolver) => Asked::All(Box::new(callers.enquiry(resolver)?)),
            None => Asked::Nobody,
        };
        self.ask(&asked, look)
    }

    fn ask<T>(
        &self,
        asked: &Asked,
        look: impl FnMut(&mut Known) -> Option<T>,
    ) -> Result<T, Failure> {
        let mut known = Known::new();
        known.use_keys(self.keys()?);
        if let Some(file) = &self.replay {
            replay(file, &mut known)
                .map_err(|why| Failure::usage(format!("{}: {why}", file.display())))?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Failure::new(Exit::Undetermined, format!("no runtime: {e}")))?;
        let found = runtime.block_on(asked.until_found(&mut known, look));
        let found = found.map_err(|why| Failure::new(Exit::Undetermined, why.to_string()))?;
        if let Some(file) = &self.record {
            fs::write(file, write_answers(&known))
                .map_err(|e| Failure::usage(format!("{}: {e}", file.display())))?;
        }
        Ok(found)
    }

    fn keys(&self) -> Result<Keys, Failure> {
        let mut keys = Keys::default();
        for given in &self.blocklist_key {
            let wrong = || Failure::usage("--blocklist-key is LIST=KEY, as spamhaus-zen=abc123");
            let (id, key) = given.split_once('=').ok_or_else(wrong)?;
            keys.add(Lists::built_in(), id, key).map_err(|e| Failure::usage(e.to_string()))?;
        }
        Ok(keys)
    }

    /// None where nobody is to be asked.
    fn resolver(&self) -> Result<Option<Resolver>, Failure> {
        if self.replay.is_some() {
            return Ok(None);
        }
        let servers = match self.resolver.is_empty() {
            true => NameServers::system(),
            false => NameServers::given(self.resolver.clone())
                .map_err(|e| Failure::usage(e.to_string()))?,
        };
        Ok(Some(Resolver::new(&servers, ResolverSettings::default())))
    }
}

/// Knows what a file of --record has.
fn replay(file: &Path, known: &mut Known) -> anyhow::Result<()> {
    Ok(read_answers(&fs::read_to_string(file)?, known)?)
}
