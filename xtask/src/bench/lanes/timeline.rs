//! What happened at the destination, second by second, and what follows from it.

use anyhow::Context as _;

/// One second at the destination.
#[derive(Clone, Copy, Default, Debug)]
struct Second {
    at: u64,
    connections: u64,
    messages: u64,
    refusals: u64,
    /// Most connections open at once.
    open_most: u64,
}

/// The seconds in which anything happened, from the start of the sink.
#[derive(Debug)]
pub(super) struct Timeline(Vec<Second>);

impl Timeline {
    /// Reads mailbench's CSV.
    pub(super) fn read(csv: &str) -> anyhow::Result<Self> {
        let rows = csv.lines().skip(1).map(|row| {
            // The first column is the address; there is only one.
            let numbers: Vec<u64> = row.split(',').skip(1).map_while(|n| n.parse().ok()).collect();
            match numbers[..] {
                [at, connections, messages, _, r4xx, r5xx, open_most] => {
                    Ok(Second { at, connections, messages, refusals: r4xx + r5xx, open_most })
                }
                _ => anyhow::bail!("not a row of a timeline: {row:?}"),
            }
        });
        rows.collect::<anyhow::Result<_>>().map(Self).context("while reading the sink's timeline")
    }

    /// Messages taken in the seconds `from..to`.
    pub(super) fn messages(&self, from: u64, to: u64) -> u64 {
        self.between(from, to).map(|s| s.messages).sum()
    }

    /// Replies that refused in the seconds `from..to`.
    pub(super) fn refusals(&self, from: u64, to: u64) -> u64 {
        self.between(from, to).map(|s| s.refusals).sum()
    }

    /// Connections opened in the seconds `from..to`.
    pub(super) fn connections(&self, from: u64, to: u64) -> u64 {
        self.between(from, to).map(|s| s.connections).sum()
    }

    /// Most connections open at once in the seconds `from..to`, those that were refused at once
    /// among them.
    pub(super) fn open_most(&self, from: u64, to: u64) -> u64 {
        self.between(from, to).map(|s| s.open_most).max().unwrap_or(0)
    }

    /// Most messages and refusals together in one of the seconds `from..to`.
    pub(super) fn busiest(&self, from: u64, to: u64) -> u64 {
        self.between(from, to).map(|s| s.messages + s.refusals).max().unwrap_or(0)
    }

    /// The first second from `from` on in which something was refused.
    pub(super) fn first_refusal(&self, from: u64) -> Option<u64> {
        self.between(from, u64::MAX).find(|s| s.refusals > 0).map(|s| s.at)
    }

    /// The second in which the `n`th message from `from` on was taken.
    pub(super) fn second_of(&self, n: u64, from: u64) -> Option<u64> {
        let mut taken = 0;
        self.between(from, u64::MAX).find_map(|s| {
            taken += s.messages;
            (taken >= n).then_some(s.at)
        })
    }

    fn between(&self, from: u64, to: u64) -> impl Iterator<Item = &Second> {
        self.0.iter().filter(move |second| (from..to).contains(&second.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "listen,second,conns,msgs,rcpts,r4xx,r5xx,open_max\n\
        127.0.0.1:25,2,1,3,3,0,0,1\n127.0.0.1:25,5,2,1,1,2,1,3\n127.0.0.1:25,9,0,4,4,0,0,0\n";

    #[test]
    fn seconds_are_added_up_up_to_the_last_which_is_not_among_them() {
        let timeline = Timeline::read(CSV).unwrap();
        assert_eq!((timeline.messages(0, 9), timeline.messages(0, 10)), (4, 8));
        assert_eq!((timeline.refusals(0, 10), timeline.refusals(6, 10)), (3, 0));
        assert_eq!(timeline.connections(3, 10), 2);
        assert_eq!((timeline.open_most(0, 10), timeline.open_most(0, 5)), (3, 1));
        assert_eq!(timeline.busiest(0, 10), 4);
    }

    #[test]
    fn the_nth_message_and_the_first_refusal_are_found() {
        let timeline = Timeline::read(CSV).unwrap();
        assert_eq!(timeline.second_of(4, 0), Some(5));
        assert_eq!(timeline.second_of(5, 3), Some(9));
        assert_eq!(timeline.second_of(9, 0), None);
        assert_eq!((timeline.first_refusal(0), timeline.first_refusal(6)), (Some(5), None));
    }

    #[test]
    fn what_is_no_row_is_an_error() {
        assert!(Timeline::read("head\n0,2,1\n").is_err());
    }
}
