//! What phrases are good for: to meet a chain by themselves, or to be a link of one.

use std::collections::BTreeMap;

use super::Line;
use crate::pattern::Gap;

/// What a phrase is good for: one link of one chain, or the first link of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    /// The link before it, and how far behind that it may begin; `None` for a first link.
    pub(super) behind: Option<(u32, Gap)>,
    pub(super) then: Then,
    pub(super) line: Line,
}

/// What a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Then {
    /// Another link: it is remembered that this one was seen.
    Link(u32),
    /// A chain is met: who is told, by number.
    Met(u32),
}

/// All that a phrase is good for, in one number: most are good for one thing, which needs no
/// look anywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct GoodFor(u32);

/// As [`GoodFor`], to be gone through.
#[derive(Debug, Clone, Copy)]
pub(super) enum Good {
    /// No phrase ends here.
    Nothing,
    /// This one is told, whatever else was seen.
    Met(u32),
    /// This link is seen, whatever else was.
    Link(u32),
    /// All that [`Uses::all`] says of this number.
    All(u32),
}

/// All that a phrase is good for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct All<'u> {
    /// The links that are seen, whatever else was.
    pub(super) links: &'u [u32],
    /// Who is told, whatever else was seen.
    pub(super) told: &'u [u32],
    /// What it is behind other links.
    pub(super) behind: &'u [Behind],
    /// What it is where it stands in the right line.
    pub(super) lined: &'u [(Line, Then)],
}

/// A link that counts behind another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behind {
    pub(super) link: u32,
    pub(super) gap: Gap,
    pub(super) line: Line,
    pub(super) then: Then,
}

/// What phrases are good for that are good for more than one thing. Phrases that are good for
/// the same, as the alternatives of a pattern are, share it.
#[derive(Debug, Default)]
pub(super) struct Uses {
    links: Vec<u32>,
    told: Vec<u32>,
    behind: Vec<Behind>,
    lined: Vec<(Line, Then)>,
    /// Where in each of the four those of a phrase begin; one more at the end.
    begins: Vec<[u32; 4]>,
}

/// Uses on their way there.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    numbers: BTreeMap<Box<[Use]>, u32>,
    uses: Uses,
}

/// The two highest bits say what the others are: the number of who is told, of a link, or of the
/// list in [`Uses`], from 1.
const MET: u32 = 1 << 31;
const LINK: u32 = 1 << 30;

impl From<Then> for GoodFor {
    fn from(then: Then) -> Self {
        match then {
            Then::Met(number) => Self(number | MET),
            Then::Link(number) => Self(number | LINK),
        }
    }
}

impl GoodFor {
    /// As one number.
    pub(super) fn to_bits(self) -> u32 {
        self.0
    }

    /// Of such a number.
    #[inline]
    pub(super) fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// What it is good for, if that is one thing.
    #[inline]
    pub(super) fn one(self) -> Option<Then> {
        if self.0 & MET != 0 {
            Some(Then::Met(self.0 & !MET))
        } else if self.0 & LINK != 0 {
            Some(Then::Link(self.0 & !LINK))
        } else {
            None
        }
    }
}

impl From<GoodFor> for Good {
    #[inline]
    fn from(good_for: GoodFor) -> Self {
        match good_for.one() {
            Some(Then::Met(told)) => Self::Met(told),
            Some(Then::Link(link)) => Self::Link(link),
            None if good_for == GoodFor::default() => Self::Nothing,
            None => Self::All(good_for.0),
        }
    }
}

impl Gathered {
    /// Takes what a phrase is good for.
    pub(super) fn add(&mut self, uses: &[Use]) -> GoodFor {
        match uses {
            [Use { behind: None, then, line: Line::Joined }] => GoodFor::from(*then),
            _ => GoodFor(match self.numbers.get(uses) {
                Some(known) => *known,
                None => {
                    let number = self.uses.list(uses);
                    self.numbers.insert(uses.into(), number);
                    number
                }
            }),
        }
    }

    pub(super) fn finish(mut self) -> Uses {
        self.uses.begins.push(self.uses.ends());
        self.uses
    }
}

impl Uses {
    /// The number of a new list.
    fn list(&mut self, uses: &[Use]) -> u32 {
        self.begins.push(self.ends());
        for Use { behind, then, line } in uses.iter().copied() {
            match (behind, line, then) {
                (Some((link, gap)), ..) => self.behind.push(Behind { link, gap, line, then }),
                (None, Line::Joined, Then::Link(link)) => self.links.push(link),
                (None, Line::Joined, Then::Met(told)) => self.told.push(told),
                (None, ..) => self.lined.push((line, then)),
            }
        }
        self.begins.len() as u32
    }

    fn ends(&self) -> [u32; 4] {
        let all = [self.links.len(), self.told.len(), self.behind.len(), self.lined.len()];
        all.map(|n| n as u32)
    }

    /// All that this number stands for.
    #[inline]
    pub(super) fn all(&self, number: u32) -> All<'_> {
        let place = number as usize;
        let Some([from, to]) = self.begins.get(place.wrapping_sub(1)..=place) else {
            return All::default();
        };
        All {
            links: part(&self.links, from[0], to[0]),
            told: part(&self.told, from[1], to[1]),
            behind: part(&self.behind, from[2], to[2]),
            lined: part(&self.lined, from[3], to[3]),
        }
    }
}

#[inline]
fn part<T>(all: &[T], from: u32, to: u32) -> &[T] {
    all.get(from as usize..to as usize).unwrap_or_default()
}
