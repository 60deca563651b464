//! The same for those who stay with Postfix: a transport of its own for the provider, paced.
//! Names of settings are those of postconf(5) and master(5).

use postlane_maillog::ProviderFigures;

use super::limit::Limit;
use super::pace::Pace;
use super::verdict::Verdict;

/// Domains that are written into the transport table.
const DOMAINS_TOLD: usize = 10;

/// Lines for `main.cf`, `master.cf` and the transport table; empty where none are needed.
pub(super) fn settings(
    figures: &ProviderFigures,
    limit: Option<&Limit>,
    _verdict: &Verdict,
) -> String {
    let Some(pace) = Pace::of(figures, limit) else { return String::new() };
    let transport = transport(&figures.id);
    // One delivery at a time; the delay stands between two of them.
    let delay = pace.window_s.div_ceil(pace.messages).max(1);
    let wait = pace.backoff_s();
    let mut text = format!(
        "# /etc/postfix/master.cf\n\
         {transport} unix - - n - 1 smtp\n    -o syslog_name=postfix/{transport}\n\
         \n\
         # /etc/postfix/main.cf; where transport_maps has others, write this one before them\n\
         transport_maps = hash:/etc/postfix/transport\n\
         {transport}_transport_rate_delay = {delay}s\n\
         {transport}_destination_concurrency_limit = 1\n\
         {transport}_initial_destination_concurrency = 1\n\
         {transport}_destination_concurrency_failed_cohort_limit = 10\n\
         # for all mail: Postfix has no backoff by transport\n\
         minimal_backoff_time = {wait}s\n\
         maximal_backoff_time = {}s\n\
         queue_run_delay = 300s\n\
         \n\
         # /etc/postfix/transport, then: postmap /etc/postfix/transport && postfix reload\n",
        (wait * 4).max(4_000)
    );
    for (domain, _) in figures.domains.iter().take(DOMAINS_TOLD) {
        if is_domain(domain) {
            text.push_str(&format!("{domain} {transport}:\n"));
        }
    }
    text
}

/// The name of a transport: Postfix takes letters, digits and underscores in settings.
fn transport(id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = id.chars().map(plain).take(40).collect();
    format!("slow_{name}")
}

/// What stands in a log is not trusted to be a domain.
fn is_domain(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !text.is_empty() && text.chars().all(is_plain)
}
