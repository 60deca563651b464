use super::*;
use crate::pattern::{Chain, Classes};
use crate::vocabulary::Lexicon;
use proptest::prelude::*;

fn parse(pattern: &str, lexicon: &mut Lexicon) -> Vec<Chain> {
    crate::pattern::parse(pattern, &Classes::default(), lexicon).unwrap()
}

/// An automaton that tells the place of each pattern.
fn automaton(patterns: &[(&str, Place)]) -> Automaton {
    let mut lexicon = Lexicon::default();
    let mut all = Patterns::new(10);
    for (number, (pattern, place)) in (0_u32..).zip(patterns) {
        let chains = parse(pattern, &mut lexicon);
        chains.iter().for_each(|chain| all.add(chain, *place, number));
    }
    all.build(lexicon, patterns.len() as u32)
}

fn of_line(patterns: &[&'static str], line: Line) -> Automaton {
    let place = Place { group: Group::ALL, line };
    automaton(&patterns.iter().map(|pattern| (*pattern, place)).collect::<Vec<_>>())
}

fn told(automaton: &Automaton, text: &str, reached: &mut Reached) -> Vec<u32> {
    automaton.begin(text, reached);
    automaton.meet(Group::ALL, reached);
    let mut told = reached.told().to_vec();
    told.sort_unstable();
    told
}

fn met(pattern: &str, text: &str) -> bool {
    let place = Place { group: Group::ALL, line: Line::Joined };
    !told(&automaton(&[(pattern, place)]), text, &mut Reached::default()).is_empty()
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
fn what_may_stand_in_any_order_is_met_in_each_and_near() {
    let far = "x".repeat(60);
    assert!(met("a & b", "b c a") && met("a & b", "a b") && met("a & b & c", "c x a x b"));
    assert!(!met("a & b", "a") && !met("a & b", &format!("a {far} b")));
}

#[test]
fn patterns_that_begin_alike_are_met_each_for_itself() {
    let automaton = of_line(&["a .. b", "a .. c", "a .. b"], Line::Joined);
    let mut reached = Reached::default();
    assert_eq!(told(&automaton, "a x c", &mut reached), [1]);
    assert_eq!(told(&automaton, "a b", &mut reached), [0, 2]);
}

#[test]
fn the_line_that_decides_is_the_only_one_that_counts() {
    let mut reached = Reached::default();
    for (line, expected) in
        [(Line::Joined, vec![0, 1, 2]), (Line::First, vec![0]), (Line::Last, vec![1])]
    {
        let automaton = of_line(&["one", "two", "one two"], line);
        assert_eq!(told(&automaton, "one\ntwo", &mut reached), expected, "{line:?}");
    }
    let last = of_line(&["one", "two"], Line::Last);
    assert_eq!(told(&last, "one\nzero\ntwo", &mut reached), [1]);
    assert_eq!(told(&last, "one", &mut reached), [0]);
}

#[test]
fn a_group_is_met_when_it_is_asked_for() {
    let place = |group| Place { group, line: Line::Joined };
    let groups = [Group(2), Group::ALL, Group(7)];
    let automaton = automaton(&groups.map(|group| ("a b", place(group))));
    let mut reached = Reached::default();
    assert_eq!(told(&automaton, "a b", &mut reached), [1]);
    automaton.meet(Group(7), &mut reached);
    automaton.meet(Group(3), &mut reached);
    automaton.meet(Group(90), &mut reached);
    assert_eq!(reached.told(), [1, 2]);
}

#[test]
fn a_proviso_holds_where_something_is_also_said_and_nothing_else() {
    let mut lexicon = Lexicon::default();
    let mut all = Patterns::new(1);
    let mut proviso = |also: &[&str], unless: &[&str]| {
        let mut chains = |of: &[&str]| of.iter().flat_map(|of| parse(of, &mut lexicon)).collect();
        all.proviso(Line::Joined, chains(also), chains(unless))
    };
    let both = proviso(&["a", "b ... c"], &["d .. e", "f"]).unwrap();
    let none = proviso(&[], &["f"]).unwrap();
    assert_eq!(proviso(&["a", "b ... c"], &["d .. e", "f"]), Some(both));
    assert_eq!(proviso(&[], &[]), None);
    let automaton = all.build(lexicon, 0);
    let mut reached = Reached::default();
    for (text, of_both, of_none) in [
        ("a", true, true),
        ("b c", true, true),
        ("c b", false, true),
        ("a d", true, true),
        ("a d e", false, true),
        ("a f", false, false),
        ("", false, true),
    ] {
        automaton.begin(text, &mut reached);
        for _ in 0..2 {
            assert_eq!(automaton.holds(both, &mut reached), of_both, "{text}");
            assert_eq!(automaton.holds(none, &mut reached), of_none, "{text}");
        }
    }
}

#[test]
fn nothing_is_left_of_the_text_before() {
    let automaton = of_line(&["a ... b"], Line::Joined);
    let mut reached = Reached::default();
    for (text, expected) in [("a", false), ("b", false), ("a b", true), ("b", false)] {
        assert_eq!(!told(&automaton, text, &mut reached).is_empty(), expected, "{text}");
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
