//! What to write into our own configuration for a provider, by what a log says.

use postlane_mail::Span;
use postlane_maillog::ProviderFigures;

use super::limit::Limit;
use super::pace::Pace;
use super::verdict::Verdict;

/// A section for this provider; empty where it needs none.
pub(super) fn toml(figures: &ProviderFigures, limit: Option<&Limit>, verdict: &Verdict) -> String {
    let Some(pace) = Pace::of(figures, limit) else { return String::new() };
    if figures.id.as_ref() == "others" {
        return String::new();
    }
    let mut text = format!(
        "# {}: {} of {} tries refused for the rate ({}).\n",
        figures.name,
        figures.paced(),
        figures.attempts(),
        verdict.class
    );
    text.push_str(&format!("[lane.\"{}\"]\n", figures.id.escape_default()));
    text.push_str(&format!("# {}\nmax_rate_per_source = \"{}\"\n", pace.says(), pace.written()));
    // No log tells how many sessions were open at once; two is chosen, not measured.
    text.push_str("# a careful start, not read off the log\nmax_connections_per_source = 2\n");
    text.push_str(&format!("retry_backoff = \"{}\"\n", Span::from_s(pace.backoff_s())));
    if !figures.storms.is_empty() {
        text.push_str(
            "# retries crowded out new mail: let the old go first\n\
             hold_new_when_deferred_older_than = \"4h\"\n",
        );
    }
    text
}
