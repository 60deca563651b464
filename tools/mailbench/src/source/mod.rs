//! SMTP source: many sessions, each sending one message after the other.

mod arguments;
mod client;
mod message;
mod sender;
mod tally;

use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;

use crate::clock::{Cpu, monotonic_ns};
use crate::latency::Summary;
use crate::report::{emit, rate, seconds};
pub(crate) use arguments::Arguments;
use sender::Sent;
use tally::Tally;

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
