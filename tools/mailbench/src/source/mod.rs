//! SMTP source: many sessions, each sending one message after the other.

mod client;
mod message;
mod sender;
mod tally;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;

use crate::clock::{Cpu, monotonic_ns};
use crate::latency::Summary;
use crate::report::{emit, rate, seconds};
use sender::Sent;
use tally::Tally;

/// Send mail over many sessions and time it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Servers to send to; sessions take turns.
    #[arg(long, value_delimiter = ',', default_value = "127.0.0.1:2525")]
    connect: Vec<String>,
    /// Name of the run, for the sink.
    #[arg(long, default_value = "r")]
    run: String,
    /// Sessions at the same time.
    #[arg(long, default_value_t = 20)]
    sessions: usize,
    /// Messages in all.
    #[arg(long, default_value_t = 1000)]
    messages: u64,
    /// Number of the first message: a run can go on where another ended.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Octets per message, header included.
    #[arg(long, default_value_t = 4096)]
    size: usize,
    /// Recipient domains, in turn.
    #[arg(long, default_value_t = 1)]
    domains: u64,
    /// Recipient domains end in this.
    #[arg(long, default_value = "bench.test")]
    suffix: String,
    /// Reverse-path.
    #[arg(long, default_value = "sender@source.mailbench.test")]
    from: String,
    /// Recipients per message.
    #[arg(long, default_value_t = 1)]
    rcpts: u64,
    /// Messages per connection (0: no limit).
    #[arg(long, default_value_t = 0)]
    per_conn: u64,
    /// Messages per second in all (0: as fast as they are taken).
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Send BDAT instead of DATA.
    #[arg(long)]
    bdat: bool,
    /// Wait for every reply.
    #[arg(long)]
    no_pipelining: bool,
    /// Tries per message after the first.
    #[arg(long, default_value_t = 20)]
    retries: u32,
    /// Write the number of each message that was answered 250, one per line.
    #[arg(long)]
    ids: Option<PathBuf>,
    /// Write the result here, too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Sends everything and prints what it took.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads)
        .enable_all()
        .build()
        .context("while starting the runtime")?;
    let before = Cpu::now();
    let arguments = Arc::new(arguments);
    let tally = Arc::new(Tally::new(monotonic_ns()));
    let sent = runtime.block_on(send_all(&arguments, &tally));
    let cpu = Cpu::now().since(before);
    if let Some(path) = &arguments.ids {
        let ids: String = sent.iter().map(|s| format!("{}\n", s.seq)).collect();
        std::fs::write(path, ids).with_context(|| format!("while writing {}", path.display()))?;
    }
    let span_ns = tally.span_ns();
    let accepted = sent.len() as u64;
    let result = json!({
        "mode": "source",
        "sessions": arguments.sessions,
        "size": arguments.size,
        "accepted": accepted,
        "failed": tally.failed(),
        "reconnects": tally.reconnects(),
        "t_first_ns": tally.first_ns(),
        "t_last_ns": tally.last_ns(),
        "span_s": seconds(span_ns),
        "rate": rate(accepted, span_ns as f64 / 1e9),
        "transaction_us": Summary::of(sent.iter().map(|s| s.transaction_us).collect()).json(),
        "final_reply_us": Summary::of(sent.iter().map(|s| s.final_reply_us).collect()).json(),
        "errors": tally.errors(),
        "cpu_user_us": cpu.user_us,
        "cpu_sys_us": cpu.system_us,
    });
    emit(&result, arguments.json.as_deref())
}

async fn send_all(arguments: &Arc<Arguments>, tally: &Arc<Tally>) -> Vec<Sent> {
    let senders: Vec<_> = (0..arguments.sessions)
        .map(|at| tokio::spawn(sender::run(arguments.clone(), tally.clone(), at)))
        .collect();
    let mut sent = Vec::new();
    for sender in senders {
        sent.extend(sender.await.expect("a sender does not panic"));
    }
    sent
}
