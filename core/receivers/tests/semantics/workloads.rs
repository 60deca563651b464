//! What there is to send.

use postlane_mail::Stream;
use postlane_receivers::{Ms, Scenario, ScenarioError, Workload};
use proptest::prelude::*;

fn mail(blocks: &str) -> Scenario {
    try_mail(blocks).unwrap()
}

fn try_mail(blocks: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse(&format!(
        "[meta]\nid = \"t\"\nhorizon = \"3d\"\n[sender]\nips = [\"a\"]\n{blocks}\n[receiver]\nsite = \"mx.example\"\n"
    ))
}

#[test]
fn a_batch_comes_at_once_and_a_stream_at_its_rate_in_its_time() {
    let scenario = mail(
        "[[mail]]\nclass = \"bulk\"\ncount = 10\nat = \"2h\"\n[[mail]]\nclass = \"tx\"\nrate = \"100/h\"\nfrom = \"1h\"\nto = \"11h\"\n",
    );
    let all = Workload::new(&scenario, 1).arrivals;
    assert!(all.is_sorted_by_key(|arrival| (arrival.at, arrival.id)));
    assert!(all.iter().zip(0..).all(|(arrival, id)| arrival.id == id));
    let (batch, stream): (Vec<_>, Vec<_>) =
        all.iter().partition(|arrival| arrival.stream == Stream::Engaged);
    assert!(batch.len() == 10 && batch.iter().all(|arrival| arrival.at == Ms::from_h(2)));
    assert!((900..1_100).contains(&stream.len()));
    let hours = Ms::from_h(1)..Ms::from_h(11);
    assert!(stream.iter().all(|arrival| hours.contains(&arrival.at)));
}

#[test]
fn classes_have_two_names_and_mail_its_labels_and_its_age() {
    for (class, stream) in [
        ("transactional", Stream::Transactional),
        ("tx", Stream::Transactional),
        ("engaged", Stream::Engaged),
        ("bulk", Stream::Engaged),
        ("cold", Stream::Cold),
    ] {
        let scenario = mail(&format!(
            "[[mail]]\nclass = \"{class}\"\ncount = 1\nmax_age = \"5h\"\ntenant = \"acme\"\ncampaign = \"may\"\n"
        ));
        let arrival = Workload::new(&scenario, 1).arrivals.remove(0);
        assert_eq!(arrival.stream, stream);
        assert_eq!((arrival.tenant.as_str(), arrival.campaign.as_str()), ("acme", "may"));
        assert_eq!(arrival.max_age, Some(Ms::from_h(5)));
    }
    assert!(try_mail("[[mail]]\nclass = \"other\"\ncount = 1\n").is_err());
}

#[test]
fn every_message_has_a_recipient_of_its_own_but_where_there_is_a_pool() {
    let scenario = mail(
        "[[mail]]\nclass = \"bulk\"\ncount = 50\n[[mail]]\nclass = \"bulk\"\ncount = 500\nunique_rcpts = 20\nunknown = 0.1\n",
    );
    let all = Workload::new(&scenario, 4).arrivals;
    let mut numbers: Vec<u32> = all.iter().map(|arrival| arrival.to.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (0..70).collect::<Vec<u32>>());
    // Whoever does not exist never does.
    let unknown: Vec<u32> =
        all.iter().filter(|one| !one.to.known).map(|one| one.to.number).collect();
    assert_eq!(unknown.len(), 50);
    assert!(all.iter().all(|one| !one.to.known || !unknown.contains(&one.to.number)));
}

#[test]
fn each_block_has_a_chance_of_its_own() {
    let one = "[[mail]]\nclass = \"tx\"\nrate = \"10/h\"\nunknown = 0.2\n";
    let other = "[[mail]]\nclass = \"cold\"\nrate = \"10/h\"\n";
    let of = |blocks: &str, stream| -> Vec<_> {
        let all = Workload::new(&mail(blocks), 9).arrivals;
        let mine = all.into_iter().filter(|one| one.stream == stream);
        mine.map(|one| (one.at, one.to.known)).collect()
    };
    let together = format!("{one}{other}");
    assert_eq!(of(one, Stream::Transactional), of(&together, Stream::Transactional));
    let (a, b) = (of(&together, Stream::Transactional), of(&together, Stream::Cold));
    assert_ne!(a.first().unwrap().0, b.first().unwrap().0);
}

#[test]
fn arrivals_are_counted_after_one_moment_up_to_another() {
    let scenario = mail(
        "[[mail]]\nclass = \"tx\"\ncount = 3\nat = \"1h\"\n[[mail]]\nclass = \"tx\"\ncount = 2\nat = \"2h\"\n",
    );
    let workload = Workload::new(&scenario, 1);
    let count = |after, to| {
        workload.count_between(Stream::Transactional, Ms::from_h(after), Ms::from_h(to))
    };
    assert_eq!((count(0, 1), count(1, 2), count(0, 2), count(2, 3)), (3, 2, 5, 0));
}

proptest! {
    #![proptest_config(crate::bench::law())]

    #[test]
    fn exactly_so_many_recipients_are_unknown_and_the_seed_says_which(
        count in 0_u32..400,
        percent in 0_u32..=100,
        seed in any::<u64>(),
    ) {
        let unknown = f64::from(percent) / 100.0;
        let scenario = mail(&format!(
            "[[mail]]\nclass = \"bulk\"\ncount = {count}\nunknown = {unknown:?}\n"
        ));
        let workload = Workload::new(&scenario, seed);
        let unknowns = workload.arrivals.iter().filter(|one| !one.to.known).count();
        prop_assert_eq!(unknowns, (f64::from(count) * unknown).round() as usize);
        prop_assert_eq!(&workload, &Workload::new(&scenario, seed));
    }
}
