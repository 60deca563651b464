//! The command line, declared once: parser, help, completions and manual pages read this.

use clap::{Parser, Subcommand};

use crate::commands::analyze::Analyze;
use crate::commands::audit::AuditArguments;
use crate::commands::blocklists::BlocklistsCommand;
use crate::commands::bounce::BounceCommand;
use crate::commands::check::CheckCommand;
use crate::commands::classify::Classify;
use crate::commands::completions::{Completions, Manual};
use crate::commands::config::ConfigCommand;
use crate::commands::diagnose::Diagnose;
use crate::commands::dkim::DkimCommand;
use crate::commands::domains::DomainsCommand;
use crate::commands::evidence::Evidence;
use crate::commands::explain::Explain;
use crate::commands::incidents::IncidentsCommand;
use crate::commands::lanes::LanesCommand;
use crate::commands::log::Log;
use crate::commands::preflight::Preflight;
use crate::commands::queue::QueueCommand;
use crate::commands::receiver::Receiver;
use crate::commands::rehearse::Rehearse;
use crate::commands::rules::RulesCommand;
use crate::commands::send::Send;
use crate::commands::serve::Serve;
use crate::commands::spf::SpfCommand;
use crate::commands::spool::SpoolCommand;
use crate::commands::suppression::SuppressionCommand;
use crate::commands::tester::TesterCommand;
use crate::commands::tls_report::TlsReportArguments;
use crate::commands::token::TokenCommand;
use crate::commands::trace::Trace;
use crate::commands::user::UserCommand;
use crate::commands::view::ViewCommand;
use crate::commands::webhook::WebhookCommand;
use crate::reach::Reach;

/// A sending relay that mailbox providers do not have to slow down.
///
/// Exit status: 0 yes, 1 a negative answer, 2 usage, 3 undetermined, 4 no server answers,
/// 75 try again later, 78 configuration.
#[derive(Parser)]
#[command(name = "postlane", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Take mail, keep it safe, and deliver it
    Serve(Box<Serve>),
    /// Hand a message to the running server
    Send(Send),
    /// Look at what waits, and act on it
    #[command(subcommand)]
    Queue(QueueCommand),
    /// What happened: every message taken, every attempt, every change of a lane
    ///
    /// The newest entries that match everything given, the newest at the bottom. Under an
    /// attempt that was not accepted stands what the host said, and what it means.
    Log(Box<Log>),
    /// Tell a message's whole story: intake, attempts, replies, reports, what came back
    ///
    /// What happened meanwhile to the lanes and hosts that it went by is told, too, marked with ~.
    Trace(Trace),
    /// Look at lanes, what they believe and why they wait, and give them orders
    ///
    /// A lane is the way from one source to one provider. It finds out by itself what the provider
    /// takes. The provider is named by its id, brand or name, or by one of its domains: united-internet, gmx
    /// and web.de are the same. Orders hold until they are taken back, also after a restart.
    #[command(subcommand)]
    Lanes(LanesCommand),
    /// Show which of a provider's requirements mail about to go there does not meet
    ///
    /// Messages are looked at as they will leave, a few of each domain, provider, source and stream;
    /// mail does not wait for it. The exit status is 1 where something is missing, or nothing was looked
    /// at.
    Preflight(Box<Preflight>),
    /// Say what is wrong with mail to providers, and what to do
    ///
    /// From the counts and replies of the ledger: each provider's picture is compared with its own
    /// sources, with all other providers, and with the time before. The exit status is 1 if
    /// something is wrong.
    Diagnose(Diagnose),
    /// Trouble that lasts: opened and closed by the relay itself, with steps to check off
    #[command(subcommand)]
    Incidents(IncidentsCommand),
    /// Write a pack of evidence for a postmaster or an ESP
    ///
    /// A report with figures, plot and samples of refusals, their headers, a letter to complete, and
    /// SHA-256 sums. No body is in it, and no local part of an address unless it is asked for.
    Evidence(Box<Evidence>),
    /// Say what a reply means, who must wait, and what to do
    ///
    /// With --file all replies of a log are told, counted by provider and meaning: of our own
    /// log, of Postfix, Exim, Sendmail, qmail and OpenSMTPD, of JSON lines, and of a list with a
    /// reply to a line. Those that no rule has words for come last.
    Explain(Box<Explain>),
    /// Label replies, JSON line by JSON line
    ///
    /// Reads from standard input one object to a line, with id and reply, and optionally provider,
    /// mx_hint and command_stage; writes for each, in the same order, an object with id, label,
    /// signal, provider, rule and confidence. A line that cannot be read is told on standard
    /// error, and the exit status is then 1.
    Classify(Classify),
    /// Look at a message, or at who sends it, as a receiver would
    #[command(subcommand)]
    Check(CheckCommand),
    /// Say who is on which block list and who was, and which lists there are
    #[command(subcommand)]
    Blocklists(BlocklistsCommand),
    /// Send a message to an address of our own, and read what receivers make of it
    ///
    /// The running server takes the message at a listener with `tests = true`; it is looked at and
    /// never sent on.
    #[command(subcommand)]
    Tester(TesterCommand),
    /// What our domains publish and published, and what is wrong with them
    #[command(subcommand)]
    Domains(DomainsCommand),
    /// Make keys that sign mail, and check whether receivers find them
    #[command(subcommand)]
    Dkim(DkimCommand),
    /// Write out a domain's SPF record, and see whether a published copy still has all of it
    #[command(subcommand)]
    Spf(SpfCommand),
    /// Say what another mail server's log tells of providers, their limits, and retries
    ///
    /// Reads logs of any size, joins their lines by queue id, says what each provider took and
    /// refused and why, when a limit was hit and which window and quota that suggests, and what to
    /// write into our configuration, or into Postfix's. Nothing is sent and nothing is asked.
    Analyze(Box<Analyze>),
    /// Check and try rules of your own for replies
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Look at whom no mail goes to, and change it
    #[command(subcommand)]
    Suppression(SuppressionCommand),
    /// Verify, explain and move a queue on disk
    #[command(subcommand)]
    Spool(SpoolCommand),
    /// Read mail that came back
    #[command(subcommand)]
    Bounce(BounceCommand),
    /// Check, explain and show the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Play through what a provider would do, in virtual time and without sending
    ///
    /// A scenario says who sends, what mail there is, and what one receiver allows. The policy sees
    /// replies only. The same file and seed give the same result.
    Rehearse(Rehearse),
    /// Let a model receiver answer: as an SMTP server, or to dispatches in a file
    ///
    /// With --listen it is a server on this machine for any sender to try itself on; what it takes
    /// it throws away. Addresses that begin with "unknown" do not exist. With --replay it answers
    /// each dispatch of a file, such as a rehearsal's trace, with one JSON object per line.
    Receiver(Receiver),
    /// Make and revoke tokens: who may ask the HTTP API for what
    ///
    /// The running server is asked; where none runs, the file in its data directory.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Say who may sign in at the dashboard, and what they may do there
    ///
    /// Always done on the file in the server's data directory; a running server sees it at once.
    #[command(subcommand)]
    User(UserCommand),
    /// Tell other programs what happens: in order, signed, and repeated until it was taken
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Save queries of log, queue and lanes under a name
    #[command(subcommand)]
    View(ViewCommand),
    /// Tell how mail to domains that publish MTA-STS or TLSA records was encrypted, and what failed
    ///
    /// Sessions of one day are counted for each domain. With --json it is a report to a line, as
    /// RFC 8460 has it.
    TlsReport(TlsReportArguments),
    /// List who has changed what, from where, and when; the latest first
    Audit(AuditArguments),
    /// Let the running server read its configuration again
    Reload,
    /// Print what a shell needs to complete our commands
    Completions(Completions),
    /// Write manual pages, one for each command
    Manual(Manual),
}
