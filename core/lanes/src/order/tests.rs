use proptest::prelude::*;

use super::*;

const NOW: Instant = Instant::from_unix_s(1_000_000);

fn order(what: Instruction) -> Order {
    Order { what, by: Who::new("jo"), since: NOW, until: None }
}

fn orders(all: &[Instruction]) -> Orders {
    let mut orders = Orders::default();
    all.iter().for_each(|what| orders.give(order(*what)));
    orders
}

fn held(kind: OrderKind) -> Leave {
    Leave::Held { kind, until: None }
}

const OLD: Instant = Instant::from_unix_s(999_999);
const NEW: Instant = Instant::from_unix_s(1_000_001);

#[test]
fn a_paused_lane_sends_nothing() {
    let orders = orders(&[Instruction::Pause(Streams::ALL)]);
    for stream in Stream::ALL {
        assert_eq!(orders.permits(NEW, Wish::Send(stream, OLD)), held(OrderKind::Pause));
        assert_eq!(orders.permits(NEW, Wish::Open(stream, OLD)), held(OrderKind::Pause));
    }
}

#[test]
fn a_pause_of_cold_mail_lets_receipts_go() {
    let orders = orders(&[Instruction::Pause(Streams::of([Stream::Cold]).unwrap())]);
    assert_eq!(orders.permits(NEW, Wish::Send(Stream::Cold, OLD)), held(OrderKind::Pause));
    assert_eq!(orders.permits(NEW, Wish::Send(Stream::Transactional, OLD)), Leave::Granted);
}

#[test]
fn when_new_mail_is_held_the_old_queue_is_worked_off() {
    let orders = orders(&[Instruction::HoldNew(Streams::ALL)]);
    assert_eq!(orders.permits(NEW, Wish::Open(Stream::Engaged, OLD)), Leave::Granted);
    assert_eq!(orders.permits(NEW, Wish::Send(Stream::Engaged, NOW)), Leave::Granted);
    assert_eq!(orders.permits(NEW, Wish::Send(Stream::Engaged, NEW)), held(OrderKind::HoldNew));
}

#[test]
fn a_lane_that_runs_dry_ends_its_sessions_and_opens_none() {
    let orders = orders(&[Instruction::Drain]);
    assert_eq!(orders.permits(NEW, Wish::Send(Stream::Engaged, NEW)), Leave::Granted);
    assert_eq!(orders.permits(NEW, Wish::Open(Stream::Engaged, OLD)), held(OrderKind::Drain));
}

#[test]
fn a_pinned_rate_holds_nothing_back() {
    let rate = Rate::parse("2/m").unwrap();
    let orders = orders(&[Instruction::Pin(rate)]);
    assert_eq!(orders.permits(NEW, Wish::Send(Stream::Engaged, NEW)), Leave::Granted);
    assert_eq!(orders.pinned(NEW), Some(rate));
}

#[test]
fn an_order_ends_when_it_says() {
    let until = NOW + Span::from_h(1);
    let mut orders = Orders::default();
    orders.give(Order { until: Some(until), ..order(Instruction::Pause(Streams::ALL)) });
    let wish = Wish::Send(Stream::Engaged, OLD);
    let leave = Leave::Held { kind: OrderKind::Pause, until: Some(until) };
    assert_eq!((orders.permits(NEW, wish), orders.next_end(NEW)), (leave, Some(until)));
    assert_eq!((orders.permits(until, wish), orders.next_end(until)), (Leave::Granted, None));
    assert!(!orders.forget_ended(NEW));
    assert!(orders.forget_ended(until) && orders.is_empty());
}

#[test]
fn of_two_orders_the_longer_one_is_told() {
    let mut orders = orders(&[Instruction::Drain]);
    let until = Some(NOW + Span::from_h(1));
    orders.give(Order { until, ..order(Instruction::Pause(Streams::ALL)) });
    assert_eq!(orders.permits(NEW, Wish::Open(Stream::Cold, OLD)), held(OrderKind::Drain));
    let leave = Leave::Held { kind: OrderKind::Pause, until };
    assert_eq!(orders.permits(NEW, Wish::Send(Stream::Cold, OLD)), leave);
}

#[test]
fn a_second_order_of_a_kind_replaces_the_first() {
    let cold = Streams::of([Stream::Cold]).unwrap();
    let orders = orders(&[Instruction::Pause(Streams::ALL), Instruction::Pause(cold)]);
    assert_eq!(orders.permits(NEW, Wish::Send(Stream::Engaged, OLD)), Leave::Granted);
    assert_eq!(orders.holding(NEW).count(), 1);
}

#[test]
fn to_resume_lets_mail_go_and_keeps_pins_and_exclusions() {
    let rate = Rate::parse("2/m").unwrap();
    let mut orders =
        orders(&[Instruction::Pause(Streams::ALL), Instruction::Drain, Instruction::Pin(rate)]);
    orders.give(order(Instruction::Exclude));
    assert_eq!(orders.resume(), 2);
    assert!(orders.excludes(NEW) && orders.pinned(NEW) == Some(rate));
    assert!(orders.take_back(OrderKind::Exclude).is_some());
    assert_eq!(orders.permits(NEW, Wish::Open(Stream::Cold, NEW)), Leave::Granted);
    assert_eq!(orders.take_back(OrderKind::Exclude), None);
}

#[test]
fn orders_are_said_as_they_are_given() {
    let cold = Streams::of([Stream::Cold, Stream::Engaged]).unwrap();
    for (what, said) in [
        (Instruction::Pause(Streams::ALL), "pause"),
        (Instruction::HoldNew(cold), "hold-new engaged,cold"),
        (Instruction::Pin(Rate::parse("50/h").unwrap()), "pin 50/h"),
    ] {
        assert_eq!(what.to_string(), said);
    }
}

fn any_instruction() -> impl Strategy<Value = Instruction> {
    let streams = || (1_u8..8).prop_map(|bits| Streams::from_bits(bits).unwrap());
    prop_oneof![
        streams().prop_map(Instruction::Pause),
        streams().prop_map(Instruction::HoldNew),
        Just(Instruction::Drain),
        Just(Instruction::Exclude),
        (1_u32.., 1_u64..).prop_map(|(n, per)| Instruction::Pin(Rate::new(n, Span(per)).unwrap())),
    ]
}

fn any_order() -> impl Strategy<Value = Order> {
    let until = prop::option::of(any::<u64>().prop_map(Instant));
    (any_instruction(), ".{0,80}", any::<u64>(), until).prop_map(|(what, by, since, until)| Order {
        what,
        by: Who::new(&by),
        since: Instant(since),
        until,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn orders_are_read_back_as_they_were_written(all in prop::collection::vec(any_order(), 0..8)) {
        let mut orders = Orders::default();
        all.into_iter().for_each(|order| orders.give(order));
        let mut out = Writer::default();
        orders.write(3, &mut out);
        prop_assert_eq!(Orders::read(3, Reader(&out.into_octets())), (orders, 0));
    }

    #[test]
    fn spoiled_orders_are_no_fault(order in any_order(), at in 0_usize..60, to in any::<u8>()) {
        let mut orders = Orders::default();
        orders.give(order);
        let mut out = Writer::default();
        orders.write(3, &mut out);
        let mut octets = out.into_octets();
        if let Some(octet) = octets.get_mut(at) {
            *octet = to;
        }
        drop(Orders::read(3, Reader(&octets)));
        octets.truncate(at);
        drop(Orders::read(3, Reader(&octets)));
    }

    #[test]
    fn an_order_more_never_lets_more_go(
        all in prop::collection::vec(any_order(), 0..6), one in any_order(),
        now in any::<u64>(), accepted in any::<u64>(), stream in 0_usize..3,
    ) {
        let mut orders = Orders::default();
        all.into_iter().for_each(|order| orders.give(order));
        // One of its kind would be replaced.
        orders.take_back(one.what.kind());
        let mut more = orders.clone();
        more.give(one);
        let wish = Wish::Send(Stream::ALL[stream], Instant(accepted));
        if orders.permits(Instant(now), wish) != Leave::Granted {
            prop_assert_ne!(more.permits(Instant(now), wish), Leave::Granted);
        }
    }
}
