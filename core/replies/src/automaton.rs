//! All patterns of all rules, met by a text in one pass.
//!
//! One Aho-Corasick automaton finds every phrase; a phrase that is a link of a chain moves that
//! chain on when the link before it was seen near enough. The work is linear in the text and in
//! the phrases found in it, whatever the number of rules.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::pattern::{Chain, Gap, NEAR};

/// Patterns ready to be met.
#[derive(Debug)]
pub(crate) struct Automaton {
    phrases: AhoCorasick,
    /// What each phrase is good for, phrase after phrase.
    uses: Vec<Use>,
    /// Where in `uses` those of a phrase begin; one more than there are phrases.
    begins: Vec<u32>,
    slots: usize,
    goals: usize,
}

/// What is collected before an automaton can be built.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    uses: BTreeMap<String, Vec<Use>>,
    slots: u32,
}

/// Which line of a reply decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Joined,
    First,
    Last,
}

/// One link of one chain.
#[derive(Debug, Clone, Copy)]
struct Use {
    /// Where the chain remembers this link; the one before it is remembered one slot before.
    slot: u32,
    /// How far behind the link before it; `None` for the first.
    behind: Option<Gap>,
    /// How far before the link after it; `None` for the last, which reaches `goal`.
    before: Option<Gap>,
    goal: u32,
    line: Line,
}

/// A text to be met: its words, and where its first line ends and its last begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) words: &'t [u8],
    pub(crate) first_ends: usize,
    pub(crate) last_begins: usize,
}

/// Which goals a text reached, and the memory of the way there. Kept from text to text so that
/// nothing is allocated; the turn says what is of this text.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    turn: u32,
    links: Vec<(u32, u32)>,
    /// The turn in which each goal was reached last.
    turns: Vec<u32>,
    goals: Vec<u32>,
}

impl Patterns {
    /// Adds a chain that reaches `goal`.
    pub(crate) fn add(&mut self, chain: &Chain, goal: u32, line: Line) {
        let links = &chain.0;
        for (i, link) in links.iter().enumerate() {
            let behind = (i > 0).then_some(link.gap);
            let before = links.get(i + 1).map(|next| next.gap);
            let link_use = Use { slot: self.slots, behind, before, goal, line };
            for phrase in &link.phrases {
                self.uses.entry(phrase.clone()).or_default().push(link_use);
            }
            self.slots += 1;
        }
    }

    /// Builds the automaton; goals are below `goals`.
    pub(crate) fn build(self, goals: usize) -> Result<Automaton, aho_corasick::BuildError> {
        let phrases = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(self.uses.keys())?;
        let mut uses = Vec::new();
        let mut begins = vec![0];
        for of_phrase in self.uses.into_values() {
            uses.extend(of_phrase);
            begins.push(u32::try_from(uses.len()).unwrap_or(u32::MAX));
        }
        let slots = usize::try_from(self.slots).unwrap_or(usize::MAX);
        Ok(Automaton { phrases, uses, begins, slots, goals })
    }
}

impl Automaton {
    /// Finds the goals that the text reaches.
    pub(crate) fn meet(&self, text: Text<'_>, reached: &mut Reached) {
        reached.begin(self.slots, self.goals);
        for found in self.phrases.find_overlapping_iter(text.words) {
            let phrase = found.pattern().as_usize();
            let (from, to) = (self.begins[phrase], self.begins[phrase + 1]);
            for link in &self.uses[from as usize..to as usize] {
                reached.take(link, text, found.start(), found.end());
            }
        }
    }
}

impl Reached {
    /// Forgets the text before.
    fn begin(&mut self, slots: usize, goals: usize) {
        self.goals.clear();
        self.turn = self.turn.wrapping_add(1);
        if self.turn == 0 || self.links.len() != slots || self.turns.len() != goals {
            self.turn = 1;
            self.links.clear();
            self.links.resize(slots, (0, 0));
            self.turns.clear();
            self.turns.resize(goals, 0);
            self.goals.reserve(goals);
        }
    }

    /// Whether this text reached the goal.
    pub(crate) fn has(&self, goal: u32) -> bool {
        self.turns.get(goal as usize) == Some(&self.turn)
    }

    /// The goals this text reached, each once, in the order in which it did.
    pub(crate) fn goals(&self) -> &[u32] {
        &self.goals
    }

    /// Takes a phrase found at `start..end` as a link.
    fn take(&mut self, link: &Use, text: Text<'_>, start: usize, end: usize) {
        let in_line = match link.line {
            Line::Joined => true,
            Line::First => end <= text.first_ends,
            Line::Last => start >= text.last_begins,
        };
        if !in_line || !self.follows(link, text.words, start) {
            return;
        }
        match link.before {
            None => self.reach(link.goal),
            // What may be far away is best seen early, what must be near late.
            Some(Gap::Any) if self.links[link.slot as usize].0 == self.turn => {}
            Some(_) => self.links[link.slot as usize] = (self.turn, end as u32),
        }
    }

    fn follows(&self, link: &Use, words: &[u8], start: usize) -> bool {
        let Some(gap) = link.behind else { return true };
        let (turn, end) = self.links[link.slot as usize - 1];
        let end = end as usize;
        // Two phrases share the blank between them.
        if turn != self.turn || start + 1 < end {
            return false;
        }
        match gap {
            Gap::Any => true,
            Gap::Near => start <= end + NEAR as usize,
            Gap::Word => start >= end && !words[end..start].contains(&b' '),
        }
    }

    fn reach(&mut self, goal: u32) {
        let turn = &mut self.turns[goal as usize];
        if *turn != self.turn {
            *turn = self.turn;
            self.goals.push(goal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::parse;
    use crate::words::{words, write_words};
    use proptest::prelude::*;

    fn automaton(patterns: &[&str], line: Line) -> Automaton {
        let mut all = Patterns::default();
        for (goal, pattern) in patterns.iter().enumerate() {
            for chain in parse(pattern).unwrap() {
                all.add(&chain, goal as u32, line);
            }
        }
        all.build(patterns.len()).unwrap()
    }

    fn met(pattern: &str, text: &str) -> bool {
        let mut reached = Reached::default();
        let words = words(text);
        let words = words.as_bytes();
        let text = Text { words, first_ends: words.len(), last_begins: 0 };
        automaton(&[pattern], Line::Joined).meet(text, &mut reached);
        reached.has(0)
    }

    #[test]
    fn whole_words_are_met_and_pieces_of_words_are_not() {
        assert!(met("user unknown", "<a@b.example>: User unknown"));
        assert!(!met("user unknown", "superuser unknown"));
        assert!(!met("user unknown", "unknown user"));
        assert!(met("black*", "blacklisted") && met("*postfach", "Das Kundenpostfach ist voll"));
        assert!(met("reject* by", "was rejected by us") && !met("reject* by", "reject all by us"));
    }

    #[test]
    fn gaps_keep_the_order_and_the_distance() {
        let far = "x".repeat(60);
        assert!(met("a .. b", "a b") && met("a .. b", "a c d b"));
        assert!(!met("a .. b", "b a") && !met("a .. b", &format!("a {far} b")));
        assert!(met("a ... b", &format!("a {far} b")));
        assert!(met("a .. b", &format!("a {far} a b")));
        assert!(met("a ... b .. c", &format!("a {far} b c")));
    }

    #[test]
    fn the_line_that_decides_is_the_only_one_that_counts() {
        let mut words = vec![b' '];
        write_words("one", &mut words);
        let first_ends = words.len();
        let last_begins = words.len() - 1;
        write_words("two", &mut words);
        let text = Text { words: &words, first_ends, last_begins };
        let mut reached = Reached::default();
        for (line, expected) in
            [(Line::Joined, vec![0, 1, 2]), (Line::First, vec![0]), (Line::Last, vec![1])]
        {
            automaton(&["one", "two", "one two"], line).meet(text, &mut reached);
            let mut goals = reached.goals().to_vec();
            goals.sort_unstable();
            assert_eq!(goals, expected, "{line:?}");
        }
    }

    #[test]
    fn nothing_is_left_of_the_text_before() {
        let automaton = automaton(&["a ... b"], Line::Joined);
        let mut reached = Reached::default();
        for (text, expected) in [(" a ", false), (" b ", false), (" a b ", true), (" b ", false)] {
            let words = text.as_bytes();
            automaton.meet(Text { words, first_ends: 9, last_begins: 0 }, &mut reached);
            assert_eq!(reached.has(0), expected, "{text}");
        }
    }

    proptest! {
        /// The same, said slowly: the words as a list, each gap tried at every place.
        #[test]
        fn chains_are_met_exactly_where_their_words_stand_in_order(
            links in prop::collection::vec("[ab]( [ab])?", 1..4),
            text in "([abc] ){0,12}",
        ) {
            let pattern = links.join(" ... ");
            let have: Vec<_> = text.split_whitespace().collect();
            let mut from = 0;
            let mut all = true;
            for link in &links {
                let want: Vec<_> = link.split(' ').collect();
                let place = (from..have.len()).find(|at| have[*at..].starts_with(&want));
                match place {
                    Some(at) => from = at + want.len(),
                    None => all = false,
                }
            }
            prop_assert_eq!(met(&pattern, &text), all, "{} in {}", pattern, text);
        }
    }
}
