use super::*;
use crate::pattern::parse;
use crate::words::{words, write_words};
use proptest::prelude::*;

fn automaton(patterns: &[&str], line: Line) -> Automaton {
    let mut all = Patterns::default();
    for pattern in patterns {
        all.add(parse(pattern).unwrap(), Place { group: Group::ALL, line });
    }
    all.end_of_list();
    all.build()
}

fn meet(automaton: &Automaton, text: Text<'_>, reached: &mut Reached) {
    automaton.begin(text, reached);
    automaton.meet(Group::ALL, text, reached);
}

fn met(pattern: &str, text: &str) -> bool {
    let mut reached = Reached::default();
    let words = words(text);
    let words = words.as_bytes();
    let text = Text { words, first_ends: words.len(), last_begins: 0 };
    meet(&automaton(&[pattern], Line::Joined), text, &mut reached);
    reached.has(Pattern(0))
}

#[test]
fn whole_words_are_met_and_pieces_of_words_are_not() {
    assert!(met("user unknown", "<a@b.example>: User unknown"));
    assert!(!met("user unknown", "superuser unknown"));
    assert!(!met("user unknown", "unknown user"));
    assert!(met("black*", "blacklisted") && met("*postfach", "Das Kundenpostfach ist voll"));
    assert!(met("reject* by", "was rejected by us") && !met("reject* by", "reject all by us"));
    assert!(met("*denied*", "x SendAsDeniedException y"));
}

#[test]
fn gaps_keep_the_order_and_the_distance() {
    let far = "x".repeat(60);
    assert!(met("a .. b", "a b") && met("a .. b", "a c d b"));
    assert!(!met("a .. b", "b a") && !met("a .. b", &format!("a {far} b")));
    assert!(met("a ... b", &format!("a {far} b")));
    assert!(met("a .. b", &format!("a {far} a b")));
    assert!(met("a ... b .. c", &format!("a {far} b c")));
    assert!(met("(a|b) .. (b|a b)", "a b"));
}

#[test]
fn patterns_that_begin_alike_are_met_each_for_itself() {
    let automaton = automaton(&["a .. b", "a .. c", "a .. b"], Line::Joined);
    let mut reached = Reached::default();
    let words = b" a x c ";
    meet(&automaton, Text { words, first_ends: 7, last_begins: 0 }, &mut reached);
    assert_eq!(reached.met(), [Pattern(1)]);
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
        meet(&automaton(&["one", "two", "one two"], line), text, &mut reached);
        let mut met: Vec<_> = reached.met().iter().map(|pattern| pattern.0).collect();
        met.sort_unstable();
        assert_eq!(met, expected, "{line:?}");
    }
}

#[test]
fn a_group_is_met_when_it_is_asked_for() {
    let mut all = Patterns::default();
    for group in [Group(2), Group::ALL, Group(7)] {
        all.add(parse("a b").unwrap(), Place { group, line: Line::Joined });
    }
    all.end_of_list();
    let automaton = all.build();
    let mut reached = Reached::default();
    let text = Text { words: b" a b ", first_ends: 5, last_begins: 0 };
    meet(&automaton, text, &mut reached);
    assert_eq!(reached.met(), [Pattern(1)]);
    automaton.meet(Group(7), text, &mut reached);
    automaton.meet(Group(3), text, &mut reached);
    assert_eq!(reached.met(), [Pattern(1), Pattern(2)]);
}

#[test]
fn nothing_is_left_of_the_text_before() {
    let automaton = automaton(&["a ... b"], Line::Joined);
    let mut reached = Reached::default();
    for (text, expected) in [(" a ", false), (" b ", false), (" a b ", true), (" b ", false)] {
        let words = text.as_bytes();
        meet(&automaton, Text { words, first_ends: 9, last_begins: 0 }, &mut reached);
        assert_eq!(reached.has(Pattern(0)), expected, "{text}");
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
