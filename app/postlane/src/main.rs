//! Postlane: a sending relay that mailbox providers do not have to slow down.

mod cli;
mod client;
mod commands;
mod exit;
mod overview;
mod print;
mod reach;
mod replies;

use clap::FromArgMatches as _;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// Threads hand memory to each other all the time: what a session has taken in is let go behind
/// the last dot of another. The system's allocator pays for that with a tenth more of the CPU
/// (`docs/performance.md`). Without huge pages, which save nothing here and take more than is used.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let parsed = overview::command().try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        // Help and version are answers; everything else is a usage error.
        Err(e) => {
            let exit = if e.use_stderr() { Exit::Usage } else { Exit::Yes };
            let _ = e.print();
            return exit.into();
        }
    };
    let done = match cli.command {
        Command::Serve(serve) => commands::serve::run(&cli.reach, *serve),
        Command::Send(send) => commands::send::run(&cli.reach, send),
        Command::Queue(queue) => commands::queue::run(&cli.reach, queue),
        Command::Log(log) => commands::log::run(&cli.reach, &log),
        Command::Trace(trace) => commands::trace::run(&cli.reach, &trace),
        Command::Lanes(command) => commands::lanes::run(&cli.reach, command),
        Command::Diagnose(diagnose) => commands::diagnose::run(&cli.reach, &diagnose),
        Command::Evidence(evidence) => commands::evidence::run(&cli.reach, &evidence),
        Command::Explain(explain) => commands::explain::run(&cli.reach, &explain),
        Command::Blocklists(command) => commands::blocklists::run(&cli.reach, command),
        Command::Domains(command) => commands::domains::run(&cli.reach, command),
        Command::Check(check) => commands::check::run(&check, cli.reach.json),
        Command::Tester(command) => commands::tester::run(&cli.reach, command),
        Command::Dkim(command) => commands::dkim::run(&command, cli.reach.json),
        Command::Spf(spf) => commands::spf::run(&spf, cli.reach.json),
        Command::Classify(classify) => commands::classify::run(&classify),
        Command::Rules(rules) => commands::rules::run(&cli.reach, &rules),
        Command::Suppression(command) => commands::suppression::run(&cli.reach, command),
        Command::Spool(spool) => commands::spool::run(&cli.reach, spool),
        Command::Analyze(analyze) => commands::analyze::run(&cli.reach, &analyze),
        Command::Bounce(bounce) => commands::bounce::run(&cli.reach, bounce),
        Command::Config(config) => commands::config::run(&cli.reach, &config),
        Command::Rehearse(rehearse) => commands::rehearse::run(&cli.reach, &rehearse),
        Command::Receiver(receiver) => commands::receiver::run(&cli.reach, &receiver),
        Command::Token(command) => commands::token::run(&cli.reach, command),
        Command::Preflight(command) => commands::preflight::run(&cli.reach, *command),
        Command::User(command) => commands::user::run(&cli.reach, command),
        Command::Incidents(command) => commands::incidents::run(&cli.reach, command),
        Command::Webhook(command) => commands::webhook::run(&cli.reach, command),
        Command::View(command) => commands::view::run(&cli.reach, command),
        Command::TlsReport(arguments) => commands::tls_report::run(&cli.reach, arguments),
        Command::Audit(arguments) => commands::audit::run(&cli.reach, arguments),
        Command::Reload => commands::reload::run(&cli.reach),
        Command::Completions(wanted) => {
            commands::completions::completions(overview::command(), &wanted)
        }
        Command::Manual(wanted) => commands::completions::manual(overview::command(), &wanted),
    };
    postlane_server::finish_alarms();
    done.unwrap_or_else(|failure| failure.report()).into()
}
