//! A restart plan as it is kept over a restart of the program.

use postlane_mail::Span;

use super::judgement::{Hindrance, Judgement, Sign, Signs, Told, Verdict};
use super::ladder::{Day, Ladder, Unseen};
use super::{Restart, Tally, Wave};
use crate::fields::{Reader, Writer};
use crate::order::Who;

const DAYS: u8 = 1;
const STABLE_SENDS: u8 = 2;
const HEALTHY: u8 = 3;
const STOP: u8 = 4;
const DAY_BEGINS: u8 = 5;
const UNSEEN: u8 = 6;
const BY: u8 = 7;
const SINCE: u8 = 8;
const LEVEL: u8 = 9;
const STABLE: u8 = 10;
const FINISHED: u8 = 11;
const DAY: u8 = 12;
const USED: u8 = 13;
const URGENT: u8 = 14;
const URGENT_YESTERDAY: u8 = 15;
const TODAY: u8 = 16;
const SEND: u8 = 17;
const TRIED_AT: u8 = 18;
const STREAK: u8 = 19;
const WAVE_DEFERRED: u8 = 20;
const WAVE_SEEN: u8 = 21;
const WAVED: u8 = 22;
const DEFERRED: u8 = 23;
const TOLD: u8 = 24;
const LAST: u8 = 25;

impl Restart {
    pub(crate) fn fields(&self) -> Writer {
        let mut out = Writer::default();
        let days: Vec<u8> = self.ladder.days().iter().flat_map(|day| day.to_le_bytes()).collect();
        out.octets(DAYS, &days);
        out.number(STABLE_SENDS, self.ladder.stable_sends.into());
        out.number(HEALTHY, self.ladder.healthy.into());
        out.number(STOP, self.ladder.stop.into());
        out.number(DAY_BEGINS, self.ladder.day_begins.0);
        out.number(UNSEEN, u64::from(self.ladder.unseen == Unseen::Stay));
        out.octets(BY, self.by.as_str().as_bytes());
        out.number(SINCE, self.since.0);
        out.number(LEVEL, self.level.into());
        out.maybe(STABLE, self.stable.map(u64::from));
        out.number(FINISHED, self.finished.into());
        out.number(DAY, self.day.0.into());
        // What was reserved has a record of its own, written before it was used.
        out.number(USED, self.used.into());
        out.number(URGENT, self.urgent.into());
        out.number(URGENT_YESTERDAY, self.urgent_yesterday.into());
        out.nested(TODAY, self.today.fields());
        out.nested(SEND, self.send.fields());
        out.number(TRIED_AT, self.tried_at.0);
        out.number(STREAK, self.streak.into());
        out.number(WAVE_DEFERRED, self.wave.deferred);
        out.number(WAVE_SEEN, self.wave.seen.into());
        out.number(WAVED, self.waved.into());
        out.maybe(DEFERRED, self.deferred);
        out.octets(TOLD, &self.told.octets());
        if let Some(last) = &self.last {
            out.nested(LAST, last.fields());
        }
        out
    }

    pub(crate) fn read(kept: Reader<'_>) -> Option<Self> {
        let days =
            kept.octets(DAYS)?.chunks(4).map(|day| Some(u32::from_le_bytes(day.try_into().ok()?)));
        let mut ladder = Ladder::new(days.collect::<Option<Vec<u32>>>()?).ok()?;
        ladder.stable_sends = kept.small(STABLE_SENDS)?;
        ladder.healthy = kept.small(HEALTHY)?;
        ladder.stop = kept.small(STOP)?;
        ladder.day_begins = kept.span(DAY_BEGINS).filter(|begins| *begins < Span::from_h(24))?;
        let stays = kept.number(UNSEEN) == Some(1);
        ladder.unseen = if stays { Unseen::Stay } else { Unseen::Raise };
        let (top, used) = (ladder.top(), kept.small(USED)?);
        let number = |tag| kept.small(tag).unwrap_or_default();
        let is_so = |tag| kept.number(tag) == Some(1);
        Some(Self {
            ladder,
            by: Who::new(kept.text(BY).unwrap_or_default()),
            since: kept.instant(SINCE)?,
            level: kept.small::<u16>(LEVEL)?.min(top),
            stable: kept.small::<u16>(STABLE).map(|stable| stable.min(top)),
            finished: is_so(FINISHED),
            day: Day(kept.small(DAY)?),
            reserved: used,
            asked: None,
            used,
            urgent: number(URGENT),
            urgent_yesterday: number(URGENT_YESTERDAY),
            today: Tally::read(kept.nested(TODAY)),
            send: Tally::read(kept.nested(SEND)),
            tried_at: kept.instant(TRIED_AT).unwrap_or_default(),
            streak: kept.small(STREAK).unwrap_or_default(),
            wave: Wave {
                deferred: kept.number(WAVE_DEFERRED).unwrap_or_default(),
                seen: kept.small::<u8>(WAVE_SEEN).unwrap_or_default().min(64),
            },
            waved: is_so(WAVED),
            deferred: kept.number(DEFERRED),
            told: Signs::read(kept.octets(TOLD).unwrap_or_default()),
            last: kept.nested(LAST).and_then(Judgement::read),
        })
    }
}

impl Tally {
    fn fields(self) -> Writer {
        let mut out = Writer::default();
        for (tag, number) in [(1, self.first), (2, self.accepted), (3, self.deferred)] {
            out.number(tag, number.into());
        }
        out
    }

    fn read(kept: Option<Reader<'_>>) -> Self {
        let number = |tag| kept.and_then(|kept| kept.small(tag)).unwrap_or_default();
        Self { first: number(1), accepted: number(2), deferred: number(3) }
    }
}

impl Signs {
    fn octets(&self) -> [u8; 6] {
        self.named().map(|(_, sign)| sign as u8)
    }

    /// What is not there is not known.
    fn read(octets: &[u8]) -> Self {
        let sign = |place: usize| match octets.get(place) {
            Some(1) => Sign::Clean,
            Some(2) => Sign::Bad,
            _ => Sign::Unknown,
        };
        Self {
            first_attempts: sign(0),
            deferrals: sign(1),
            queue: sign(2),
            complaints: sign(3),
            unsubscribes: sign(4),
            headers: sign(5),
        }
    }
}

impl Judgement {
    fn fields(&self) -> Writer {
        let mut out = Writer::default();
        out.number(1, self.day.0.into());
        out.number(2, self.at.0);
        out.octets(3, &self.signs.octets());
        out.number(4, self.used.into());
        out.number(5, self.cap.into());
        let (kind, one, other) = self.verdict.numbers();
        out.number(6, kind);
        out.number(7, one.into());
        out.number(8, other.into());
        out
    }

    fn read(kept: Reader<'_>) -> Option<Self> {
        let number = |tag| kept.small::<u32>(tag).unwrap_or_default();
        Some(Self {
            day: Day(kept.small(1)?),
            at: kept.instant(2)?,
            signs: Signs::read(kept.octets(3).unwrap_or_default()),
            used: number(4),
            cap: number(5),
            verdict: Verdict::of(kept.number(6)?, number(7), number(8))?,
        })
    }
}

impl Verdict {
    fn numbers(self) -> (u64, u32, u32) {
        match self {
            Self::Raised { from, to } => (0, from, to),
            Self::Finished => (1, 0, 0),
            Self::RolledBack { from, to } => (2, from, to),
            Self::Stayed(hindrance) => match hindrance {
                Hindrance::Wave => (3, 0, 0),
                Hindrance::Untried => (4, 0, 0),
                Hindrance::FirstAttempts => (5, 0, 0),
                Hindrance::Deferrals => (6, 0, 0),
                Hindrance::Queue => (7, 0, 0),
                Hindrance::Told(told) => (8, told as u32, 0),
                Hindrance::Unseen => (9, 0, 0),
                Hindrance::Sends { stable, wanted } => (10, stable.into(), wanted.into()),
            },
        }
    }

    fn of(kind: u64, one: u32, other: u32) -> Option<Self> {
        let small = |number: u32| u8::try_from(number).ok();
        let hindrance = match kind {
            0 => return Some(Self::Raised { from: one, to: other }),
            1 => return Some(Self::Finished),
            2 => return Some(Self::RolledBack { from: one, to: other }),
            3 => Hindrance::Wave,
            4 => Hindrance::Untried,
            5 => Hindrance::FirstAttempts,
            6 => Hindrance::Deferrals,
            7 => Hindrance::Queue,
            8 => Hindrance::Told(*Told::ALL.get(usize::from(small(one)?))?),
            9 => Hindrance::Unseen,
            10 => Hindrance::Sends { stable: small(one)?, wanted: small(other)? },
            _ => return None,
        };
        Some(Self::Stayed(hindrance))
    }
}
