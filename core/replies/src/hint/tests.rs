use super::*;

#[test]
fn the_plainer_wait_counts_wherever_it_stands() {
    let wait = Hint::find("try again later, or in a few hours; retry in 7 minutes").wait.unwrap();
    assert_eq!((wait.span, wait.exact), (Span::from_min(7), true));
}

#[test]
fn nothing_said_is_an_empty_hint() {
    let hint = Hint::find("Service not available");
    assert!(hint.is_empty());
    assert_eq!(hint.to_string(), "");
}

#[test]
fn words_beyond_the_limit_are_not_read() {
    let far = format!("{} try again in 5 minutes", "word ".repeat(300));
    assert!(Hint::find(&far).is_empty());
}
