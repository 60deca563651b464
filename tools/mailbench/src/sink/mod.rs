//! SMTP sink: accepts everything unless a rule says otherwise, and keeps the books.

mod books;
mod dialogue;
mod house;
mod rule;
mod session;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Cpu;
use crate::report::emit;
use books::Books;
use house::House;
use rule::Rule;

/// How often the ends of a run (`--expect`, `--idle`) are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Time for the last replies to reach their clients.
const LAST_REPLIES: Duration = Duration::from_millis(50);
/// Wait after an `accept` that failed (out of descriptors, mostly).
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Receive mail, by rules, and count it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Addresses to listen on; port 0 takes a free one, printed on stderr.
    #[arg(long, value_delimiter = ',', default_value = "127.0.0.1:2525")]
    listen: Vec<String>,
    /// Name of the run whose messages are counted by number.
    #[arg(long, default_value = "r")]
    run: String,
    /// End after this many messages (0: never).
    #[arg(long, default_value_t = 0)]
    expect: u64,
    /// End when nothing has arrived for so many seconds (0: never).
    #[arg(long, default_value_t = 0)]
    idle: u64,
    /// What to answer at a stage; the first rule that fires decides (see src/sink/rule.rs).
    #[arg(long = "rule")]
    rules: Vec<Rule>,
    /// Keywords of the EHLO reply.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "PIPELINING,8BITMIME,SIZE 52428800,CHUNKING,ENHANCEDSTATUSCODES"
    )]
    caps: Vec<String>,
    /// Message numbers to keep count of.
    #[arg(long, default_value_t = 2_000_000)]
    max_ids: usize,
    /// Count by recipient domain, too.
    #[arg(long)]
    per_domain: bool,
    /// Write a CSV with one row per listener and second.
    #[arg(long)]
    timeline: Option<PathBuf>,
    /// Write one line `seq deliveries` for each message number that arrived.
    #[arg(long)]
    ids: Option<PathBuf>,
    /// Write the result here, too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Say on stderr every second how far it is.
    #[arg(long)]
    progress: bool,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Serves until the run ends, then prints the books.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads)
        .enable_all()
        .build()
        .context("while starting the runtime")?;
    let before = Cpu::now();
    let books = runtime.block_on(serve(&arguments))?;
    emit(&books.json(Cpu::now().since(before)), arguments.json.as_deref())?;
    if let Some(path) = &arguments.timeline {
        std::fs::write(path, books.timeline_csv())
            .with_context(|| format!("while writing {}", path.display()))?;
    }
    if let Some(path) = &arguments.ids {
        std::fs::write(path, books.ids())
            .with_context(|| format!("while writing {}", path.display()))?;
    }
    Ok(())
}

async fn serve(arguments: &Arguments) -> anyhow::Result<Arc<Books>> {
    let mut listeners = Vec::new();
    for address in &arguments.listen {
        let listener = TcpListener::bind(address.as_str())
            .await
            .with_context(|| format!("while listening on {address}"))?;
        listeners.push((listener.local_addr()?, listener));
    }
    let addresses: Vec<SocketAddr> = listeners.iter().map(|(address, _)| *address).collect();
    let books = Arc::new(Books::new(
        &arguments.run,
        arguments.max_ids,
        addresses.clone(),
        arguments.per_domain,
    ));
    let rules: Arc<[Rule]> = arguments.rules.clone().into();
    let ehlo: Arc<str> = ehlo_reply(&arguments.caps).into();
    for (at, (_, listener)) in listeners.into_iter().enumerate() {
        let house =
            House { books: books.clone(), rules: rules.clone(), ehlo: ehlo.clone(), listener: at };
        tokio::spawn(accept(listener, house));
    }
    let names: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    eprintln!("mailbench sink: listening on {}", names.join(","));
    until_the_end(arguments, &books).await?;
    Ok(books)
}

async fn accept(listener: TcpListener, house: House) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // A client that hangs up in the middle is an everyday event, not a finding.
                tokio::spawn(session::run(house.clone(), stream));
            }
            Err(e) => {
                eprintln!("mailbench sink: accept: {e}");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Returns when the run is over: a signal, enough messages, or silence.
async fn until_the_end(arguments: &Arguments, books: &Books) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("while waiting for SIGTERM")?;
    let mut last = (0, Instant::now());
    let mut told_s = 0;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            _ = terminate.recv() => break,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let messages = books.messages();
        if messages != last.0 {
            last = (messages, Instant::now());
        }
        let second = books.begun.elapsed().as_secs();
        if arguments.progress && second != told_s {
            told_s = second;
            eprintln!("{second}s messages={messages} open={}", books.open());
        }
        let enough = arguments.expect > 0 && messages >= arguments.expect;
        let silent = arguments.idle > 0
            && messages > 0
            && last.1.elapsed() >= Duration::from_secs(arguments.idle);
        if enough || silent {
            break;
        }
    }
    tokio::time::sleep(LAST_REPLIES).await;
    Ok(())
}

fn ehlo_reply(keywords: &[String]) -> String {
    let mut lines = vec!["sink.mailbench.test"];
    lines.extend(keywords.iter().map(String::as_str).filter(|k| !k.is_empty()));
    let last = lines.pop().unwrap_or_default();
    let mut reply: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
    reply.push_str(&format!("250 {last}\r\n"));
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_of_the_ehlo_reply_has_a_space() {
        let caps = ["PIPELINING".to_owned(), "CHUNKING".to_owned()];
        assert_eq!(
            ehlo_reply(&caps),
            "250-sink.mailbench.test\r\n250-PIPELINING\r\n250 CHUNKING\r\n"
        );
        assert_eq!(ehlo_reply(&[]), "250 sink.mailbench.test\r\n");
    }
}
