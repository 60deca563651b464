//! The table that a person wants: what became of mail, by provider and recipient domain.

use std::collections::BTreeMap;

use postlane_ledger::{Field, Group, Kind, Ledger, Try};
use postlane_mail::Instant;

use super::asking::{Asked, limit};
use crate::wire::{LogQuery, LogStats, LogStatsRow};

/// Rows when nothing is said, and at most. Chosen, not measured.
const ROWS: (u32, u32) = (50, 10_000);

/// Kinds and tries of a domain, at most: what a row is made of.
const GROUPS_A_ROW: usize = 12;

/// What is counted for one row.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    accepted_fresh: u64,
    accepted_retry: u64,
    deferred_fresh: u64,
    deferred_retry: u64,
    waited: u64,
    expired: u64,
    failed: u64,
    failed_fresh: u64,
    failed_attempts: u64,
    accepted_delay_ms: u64,
    deferred_delay_ms: u64,
}

/// What became of mail that the query has, by provider and recipient domain.
pub fn stats(ledger: &Ledger, query: &LogQuery, now: Instant) -> Result<LogStats, Asked> {
    let mut filter = query.filter(now).map_err(Asked::Wrong)?;
    let rows = limit(query, ROWS)?;
    if filter.kinds.is_empty() {
        filter.kinds = vec![Kind::Delivered, Kind::Deferred, Kind::Bounced, Kind::Expired];
    }
    let by = [Field::Provider, Field::Domain, Field::Kind, Field::Try];
    let groups = ledger.groups(&filter, &by, ROWS.1 as usize * GROUPS_A_ROW)?;
    Ok(table(&groups, rows))
}

fn table(groups: &[Group], rows: usize) -> LogStats {
    let mut sums: BTreeMap<(&str, &str), Sum> = BTreeMap::new();
    let mut total = Sum::default();
    for group in groups {
        let [provider, domain, kind, tried] = &group.values[..] else { continue };
        let (kind, tried) = (Kind::parse(kind), Try::parse(tried));
        sums.entry((provider, domain)).or_default().add(kind, tried, group);
        total.add(kind, tried, group);
    }
    let mut all: Vec<(u64, LogStatsRow)> =
        sums.iter().map(|(names, sum)| (sum.all(), sum.row(*names))).collect();
    all.sort_by_key(|(attempts, _)| std::cmp::Reverse(*attempts));
    LogStats {
        total: total.row(("", "")),
        rows: all.into_iter().take(rows).map(|(_, row)| row).collect(),
    }
}

impl Sum {
    fn add(&mut self, kind: Option<Kind>, tried: Option<Try>, group: &Group) {
        let many = group.count;
        match (kind, tried) {
            (Some(Kind::Delivered), Some(Try::Retry)) => self.accepted_retry += many,
            (Some(Kind::Delivered), _) => self.accepted_fresh += many,
            (Some(Kind::Deferred), Some(Try::Fresh)) => self.deferred_fresh += many,
            (Some(Kind::Deferred), Some(Try::Retry)) => self.deferred_retry += many,
            (Some(Kind::Deferred), None) => self.waited += many,
            (Some(Kind::Expired), _) => self.expired += many,
            (Some(Kind::Bounced), _) => self.failed += many,
            _ => {}
        }
        match (kind, tried) {
            (Some(Kind::Delivered), _) => self.accepted_delay_ms += group.delay_ms,
            (Some(Kind::Deferred), _) => self.deferred_delay_ms += group.delay_ms,
            (Some(Kind::Bounced | Kind::Expired), Some(tried)) => {
                self.failed_attempts += many;
                self.failed_fresh += if tried == Try::Fresh { many } else { 0 };
            }
            _ => {}
        }
    }

    fn all(&self) -> u64 {
        self.attempts() + self.waited + self.expired + self.failed
    }

    fn attempts(&self) -> u64 {
        let deferred = self.deferred_fresh + self.deferred_retry;
        self.accepted_fresh + self.accepted_retry + deferred + self.failed_attempts
    }

    fn row(&self, (provider, domain): (&str, &str)) -> LogStatsRow {
        let accepted = self.accepted_fresh + self.accepted_retry;
        let deferred = self.deferred_fresh + self.deferred_retry + self.waited;
        let first = self.accepted_fresh + self.deferred_fresh + self.failed_fresh;
        LogStatsRow {
            provider: provider.to_owned(),
            domain: domain.to_owned(),
            accepted,
            deferred_fresh: self.deferred_fresh,
            deferred_retry: self.deferred_retry,
            waited: self.waited,
            expired: self.expired,
            failed: self.failed,
            first_attempt_share: ratio(self.accepted_fresh, first),
            attempts_per_accepted: ratio(self.attempts(), accepted),
            accepted_after_s: ratio(self.accepted_delay_ms, accepted * 1_000),
            deferred_age_s: ratio(self.deferred_delay_ms, deferred * 1_000),
        }
    }
}

/// To three places.
fn ratio(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| (part as f64 / of as f64 * 1_000.0).round() / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(values: [&str; 4], count: u64, delay_ms: u64) -> Group {
        Group { values: values.map(Into::into).to_vec(), count, delay_ms }
    }

    #[test]
    fn first_attempts_and_retries_are_counted_apart() {
        let of = |kind, tried, count, delay| {
            group(["united-internet", "web.de", kind, tried], count, delay)
        };
        let groups = [
            of("delivered", "fresh", 6, 6_000),
            of("delivered", "retry", 2, 58_000),
            of("deferred", "fresh", 3, 3_000),
            of("deferred", "retry", 7, 77_000),
            of("bounced", "fresh", 1, 0),
            of("expired", "", 1, 0),
            group(["google", "gmail.com", "delivered", "fresh"], 1, 0),
        ];
        let stats = table(&groups, 10);
        let row = &stats.rows[0];
        assert_eq!((&*row.provider, &*row.domain), ("united-internet", "web.de"));
        assert_eq!((row.accepted, row.deferred_fresh, row.deferred_retry), (8, 3, 7));
        assert_eq!((row.expired, row.failed, row.waited), (1, 1, 0));
        assert_eq!(row.first_attempt_share, Some(0.6));
        assert_eq!(row.attempts_per_accepted, Some(2.375));
        assert_eq!((row.accepted_after_s, row.deferred_age_s), (Some(8.0), Some(8.0)));
        assert_eq!((stats.total.accepted, stats.rows.len()), (9, 2));
    }

    #[test]
    fn what_never_was_has_no_share() {
        let stats = table(&[group(["", "example.net", "deferred", ""], 2, 4_000)], 10);
        let row = &stats.rows[0];
        assert_eq!((row.waited, row.deferred_age_s), (2, Some(2.0)));
        assert_eq!((row.first_attempt_share, row.attempts_per_accepted), (None, None));
    }
}
