//! What operators have ordered of a lane or a provider: pause it, hold new mail, let it run
//! dry, keep to a rate, leave a source out.
//!
//! An order says who gave it and when, and may end by itself. Why it was given is for people:
//! it is kept with the audit, never here. An order only ever takes away: no ceiling is lifted
//! and no rest is cut short by one.

use std::fmt;

use postlane_mail::{Instant, Rate, Span, Stream};

use crate::fields::{Reader, Writer};

/// What holds of a lane by order. At most one order of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orders(Vec<Order>);

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What was ordered.
    pub what: Instruction,
    /// Who ordered it.
    pub by: Who,
    /// When it was given; new mail is what was accepted after that.
    pub since: Instant,
    /// When it ends by itself; until another order, where there is none.
    pub until: Option<Instant>,
}

/// What can be ordered, and holds until it is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instruction {
    /// No mail of these streams is sent. Transactions that are under way end.
    Pause(Streams),
    /// What was accepted after the order waits; what is older goes, so that the queue is worked off.
    HoldNew(Streams),
    /// No session is opened; those that are open go on until they are closed.
    Drain,
    /// The source is not used for the provider: mail goes by other sources of its pool.
    Exclude,
    /// The lane keeps to this rate and learns no other. Ceilings and rests hold.
    Pin(Rate),
}

/// The kind of an order: one of each can hold at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderKind {
    /// [`Instruction::Pause`].
    Pause,
    /// [`Instruction::HoldNew`].
    HoldNew,
    /// [`Instruction::Drain`].
    Drain,
    /// [`Instruction::Exclude`].
    Exclude,
    /// [`Instruction::Pin`].
    Pin,
}

/// Some of the streams; never none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams(u8);

/// The name of whoever gave an order: 64 octets at most, the rest is cut off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Who(Box<str>);

/// What somebody wants to do, for an order to allow or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To open a session for mail of this stream, the oldest of which was accepted then.
    Open(Stream, Instant),
    /// To send a message of this stream, accepted then, on a session that is open.
    Send(Stream, Instant),
}

/// What an order says to a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Nothing stands against it.
    Granted,
    /// An order stands against it.
    Held {
        /// Which.
        kind: OrderKind,
        /// When it ends by itself, if it does.
        until: Option<Instant>,
    },
}

/// Octets of a name. Chosen, not measured.
const WHO_OCTETS_MAX: usize = 64;

impl Orders {
    /// Gives an order; one of its kind that holds already is replaced.
    pub fn give(&mut self, order: Order) {
        let place = self.0.partition_point(|held| held.what.kind() < order.what.kind());
        match self.0.get_mut(place) {
            Some(held) if held.what.kind() == order.what.kind() => *held = order,
            _ => self.0.insert(place, order),
        }
    }

    /// Takes back what makes mail wait: pause, hold-new and drain. How many orders that were.
    pub fn resume(&mut self) -> usize {
        let before = self.0.len();
        self.0.retain(|order| matches!(order.what, Instruction::Exclude | Instruction::Pin(_)));
        before - self.0.len()
    }

    /// Takes back an order of this kind, if there is one.
    pub fn take_back(&mut self, kind: OrderKind) -> Option<Order> {
        let place = self.0.iter().position(|order| order.what.kind() == kind)?;
        Some(self.0.remove(place))
    }

    /// Forgets what has ended by itself; whether there was any.
    pub fn forget_ended(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|order| order.holds(now));
        before != self.0.len()
    }

    /// Whether this may be done now. Of several orders against it, the one that holds longest.
    pub fn permits(&self, now: Instant, wish: Wish) -> Leave {
        let against = self.holding(now).filter(|order| order.stops(wish));
        match against.max_by_key(|order| order.until.unwrap_or(Instant::MAX)) {
            Some(order) => Leave::Held { kind: order.what.kind(), until: order.until },
            None => Leave::Granted,
        }
    }

    /// The rate it is pinned to, if it is.
    pub fn pinned(&self, now: Instant) -> Option<Rate> {
        self.holding(now).find_map(|order| match order.what {
            Instruction::Pin(rate) => Some(rate),
            _ => None,
        })
    }

    /// Since when new mail of a stream is held, if it is.
    pub fn holds_new_since(&self, now: Instant, stream: Stream) -> Option<Instant> {
        self.holding(now).find_map(|order| match order.what {
            Instruction::HoldNew(streams) if streams.contain(stream) => Some(order.since),
            _ => None,
        })
    }

    /// Whether the source is left out for this provider.
    pub fn excludes(&self, now: Instant) -> bool {
        self.holding(now).any(|order| order.what == Instruction::Exclude)
    }

    /// The orders that hold now.
    pub fn holding(&self, now: Instant) -> impl Iterator<Item = &Order> {
        self.0.iter().filter(move |order| order.holds(now))
    }

    /// When the next of them ends by itself.
    pub fn next_end(&self, now: Instant) -> Option<Instant> {
        self.holding(now).filter_map(|order| order.until).min()
    }

    /// Whether nothing was ordered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn write(&self, tag: u8, out: &mut Writer) {
        self.0.iter().for_each(|order| out.nested(tag, order.fields()));
    }

    /// Orders that cannot be read do not hold: how many those are comes along.
    pub(crate) fn read(tag: u8, kept: Reader<'_>) -> (Self, u32) {
        let (mut orders, mut unread) = (Self::default(), 0);
        for field in kept.each(tag) {
            match Order::read(Reader(field)) {
                Some(order) => orders.give(order),
                None => unread += 1,
            }
        }
        (orders, unread)
    }
}

const WHAT: u8 = 1;
const STREAMS: u8 = 2;
const BY: u8 = 3;
const SINCE: u8 = 4;
const UNTIL: u8 = 5;
const MESSAGES: u8 = 6;
const PER: u8 = 7;

impl Order {
    fn holds(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    fn stops(&self, wish: Wish) -> bool {
        let (Wish::Open(stream, accepted) | Wish::Send(stream, accepted)) = wish;
        match self.what {
            Instruction::Pause(streams) => streams.contain(stream),
            Instruction::HoldNew(streams) => streams.contain(stream) && accepted > self.since,
            Instruction::Drain => matches!(wish, Wish::Open(..)),
            Instruction::Exclude => true,
            Instruction::Pin(_) => false,
        }
    }

    fn fields(&self) -> Writer {
        let mut out = Writer::default();
        out.number(WHAT, self.what.kind() as u64);
        match self.what {
            Instruction::Pause(streams) | Instruction::HoldNew(streams) => {
                out.number(STREAMS, streams.0.into())
            }
            Instruction::Pin(rate) => {
                out.number(MESSAGES, rate.messages().into());
                out.number(PER, rate.per().0);
            }
            Instruction::Drain | Instruction::Exclude => {}
        }
        out.octets(BY, self.by.as_str().as_bytes());
        out.number(SINCE, self.since.0);
        out.maybe(UNTIL, self.until.map(|until| until.0));
        out
    }

    fn read(kept: Reader<'_>) -> Option<Self> {
        let kind = OrderKind::ALL.get(kept.small::<usize>(WHAT)?)?;
        let streams = || Streams::from_bits(kept.small(STREAMS)?);
        let what = match kind {
            OrderKind::Pause => Instruction::Pause(streams()?),
            OrderKind::HoldNew => Instruction::HoldNew(streams()?),
            OrderKind::Drain => Instruction::Drain,
            OrderKind::Exclude => Instruction::Exclude,
            OrderKind::Pin => Instruction::Pin(Rate::new(kept.small(MESSAGES)?, kept.span(PER)?)?),
        };
        let by = Who::new(kept.text(BY).unwrap_or_default());
        Some(Self { what, by, since: kept.instant(SINCE)?, until: kept.instant(UNTIL) })
    }
}

impl Instruction {
    /// Its kind.
    pub fn kind(self) -> OrderKind {
        match self {
            Self::Pause(_) => OrderKind::Pause,
            Self::HoldNew(_) => OrderKind::HoldNew,
            Self::Drain => OrderKind::Drain,
            Self::Exclude => OrderKind::Exclude,
            Self::Pin(_) => OrderKind::Pin,
        }
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause(streams) | Self::HoldNew(streams) if *streams != Streams::ALL => {
                write!(f, "{} {streams}", self.kind().as_str())
            }
            Self::Pin(rate) => write!(f, "pin {rate}"),
            _ => f.write_str(self.kind().as_str()),
        }
    }
}

impl OrderKind {
    /// All of them; their places are their numbers on disk.
    pub const ALL: [Self; 5] = [Self::Pause, Self::HoldNew, Self::Drain, Self::Exclude, Self::Pin];

    /// Its name, as the command line and the API have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::HoldNew => "hold-new",
            Self::Drain => "drain",
            Self::Exclude => "exclude",
            Self::Pin => "pin",
        }
    }
}

impl Streams {
    /// All streams.
    pub const ALL: Self = Self(0b111);

    /// These streams; `None` for none.
    pub fn of(streams: impl IntoIterator<Item = Stream>) -> Option<Self> {
        Self::from_bits(streams.into_iter().fold(0, |bits, stream| bits | 1 << stream as u8))
    }

    /// Whether it is one of them.
    pub fn contain(self, stream: Stream) -> bool {
        self.0 & (1 << stream as u8) != 0
    }

    /// Each of them, most urgent first.
    pub fn iter(self) -> impl Iterator<Item = Stream> {
        Stream::ALL.into_iter().filter(move |stream| self.contain(*stream))
    }

    fn from_bits(bits: u8) -> Option<Self> {
        (bits != 0 && bits <= Self::ALL.0).then_some(Self(bits))
    }
}

impl fmt::Display for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, stream) in self.iter().enumerate() {
            write!(f, "{}{stream}", if n == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl Who {
    /// A name, or its beginning.
    pub fn new(name: &str) -> Self {
        let mut end = name.len().min(WHO_OCTETS_MAX);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        Self(name.get(..end).unwrap_or_default().into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An order that ends by itself holds no longer than this: what is meant for ever has no end.
pub const ORDER_SPAN_MAX: Span = Span::from_h(24 * 365);

#[cfg(test)]
mod tests;
