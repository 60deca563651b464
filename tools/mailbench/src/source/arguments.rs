//! What a source is told: where to, how much, how fast.

use std::path::PathBuf;

/// Send mail over many sessions and time it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Servers to send to; sessions take turns.
    #[arg(long, value_delimiter = ',', default_value = "127.0.0.1:2525")]
    pub(super) connect: Vec<String>,
    /// Name of the run, for the sink.
    #[arg(long, default_value = "r")]
    pub(super) run: String,
    /// Sessions at the same time.
    #[arg(long, default_value_t = 20)]
    pub(super) sessions: usize,
    /// Messages in all.
    #[arg(long, default_value_t = 1000)]
    pub(super) messages: u64,
    /// Number of the first message: a run can go on where another ended.
    #[arg(long, default_value_t = 0)]
    pub(super) first: u64,
    /// Octets per message, header included.
    #[arg(long, default_value_t = 4096)]
    pub(super) size: usize,
    /// Recipient domains, in turn.
    #[arg(long, default_value_t = 1)]
    pub(super) domains: u64,
    /// Recipient domains end in this.
    #[arg(long, default_value = "bench.test")]
    pub(super) suffix: String,
    /// Reverse-path.
    #[arg(long, default_value = "sender@source.mailbench.test")]
    pub(super) from: String,
    /// Recipients per message.
    #[arg(long, default_value_t = 1)]
    pub(super) rcpts: u64,
    /// Messages per connection (0: no limit).
    #[arg(long, default_value_t = 0)]
    pub(super) per_conn: u64,
    /// Messages per second in all (0: as fast as they are taken).
    #[arg(long, default_value_t = 0.0)]
    pub(super) rate: f64,
    /// Send BDAT instead of DATA.
    #[arg(long)]
    pub(super) bdat: bool,
    /// Wait for every reply.
    #[arg(long)]
    pub(super) no_pipelining: bool,
    /// Tries per message after the first.
    #[arg(long, default_value_t = 20)]
    pub(super) retries: u32,
    /// Write the number of each message that was answered 250, one per line.
    #[arg(long)]
    pub(super) ids: Option<PathBuf>,
    /// Write the result here, too.
    #[arg(long)]
    pub(super) json: Option<PathBuf>,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 2)]
    pub(super) threads: usize,
}
