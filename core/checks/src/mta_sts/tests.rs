use proptest::prelude::*;

use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn record(texts: &[&str]) -> Result<String, StsRecordFault> {
    StsRecord::of(texts.iter().map(|text| text.as_bytes())).map(|record| record.id.into())
}

/// RFC 8461 §3.2, the example.
const POLICY: &str = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\n\
                      mx: backupmx.example.com\nmax_age: 604800\n";

#[test]
fn a_record_names_the_policy() {
    // RFC 8461 §3.1, the example.
    assert_eq!(record(&["v=STSv1; id=20160831085700Z;"]).as_deref(), Ok("20160831085700Z"));
    assert_eq!(record(&["v=spf1 -all", "v=STSv1 ;\tid=a;x=y"]).as_deref(), Ok("a"));
}

#[test]
fn a_record_that_cannot_be_read_is_none() {
    use StsRecordFault::{Field, Id, Many, Missing};
    for (texts, fault) in [
        (&[][..], Missing),
        (&["v=STSv2; id=a"], Missing),
        (&["v=stsv1; id=a"], Missing),
        (&[" v=STSv1; id=a"], Missing),
        (&["v=STSv1"], Missing),
        (&["v=STSv1; id=a", "v=STSv1; id=b"], Many),
        (&["v=STSv1;"], Id),
        (&["v=STSv1; id="], Id),
        (&["v=STSv1; id=2026-01-01"], Id),
        (&["v=STSv1; id=123456789012345678901234567890123"], Id),
        (&["v=STSv1; id"], Field),
    ] {
        assert_eq!(record(texts), Err(fault), "{texts:?}");
    }
}

#[test]
fn a_policy_is_read_with_either_line_end() {
    for text in [POLICY.to_owned(), POLICY.replace('\n', "\r\n"), POLICY.trim_end().to_owned()] {
        let policy = StsPolicy::parse(text.as_bytes()).unwrap();
        assert_eq!((policy.mode, policy.max_age), (StsMode::Enforce, Span::from_s(604_800)));
        let hosts: Vec<String> = policy.mx.iter().map(ToString::to_string).collect();
        assert_eq!(hosts, ["mail.example.com", "*.example.net", "backupmx.example.com"]);
    }
}

#[test]
fn a_wildcard_stands_for_one_label() {
    let policy = StsPolicy::parse(POLICY.as_bytes()).unwrap();
    assert!(policy.allows(&name("mail.example.com")));
    assert!(policy.allows(&name("MX.example.net")));
    assert!(!policy.allows(&name("a.mx.example.net")));
    assert!(!policy.allows(&name("example.net")));
    assert!(!policy.allows(&name("mail.example.org")));
}

#[test]
fn a_policy_that_cannot_be_used_says_why() {
    let fault = |from: &str, to: &str| {
        assert!(POLICY.contains(from));
        StsPolicy::parse(POLICY.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
    };
    assert_eq!(fault("version: STSv1", "version: STSv2"), "`version: STSv1` is missing");
    assert_eq!(fault("mode: enforce", "mode: enforced"), StsPolicyFault::Mode.to_string());
    for wrong in ["", "-1", "1w", "31557601", "00000604800", "99999999999"] {
        assert_eq!(fault("604800", wrong), StsPolicyFault::MaxAge.to_string(), "{wrong}");
    }
    assert_eq!(
        fault("mail.example.com", "mail.*.com"),
        "mx: mail.*.com is neither a host's name nor `*.` and a name"
    );
    assert_eq!(fault("mode: enforce", "<html>"), "the line `<html>` is no `key: value`");
    let without = "version: STSv1\nmode: testing\nmax_age: 86400";
    assert_eq!(StsPolicy::parse(without.as_bytes()), Err(StsPolicyFault::NoMx));
    let large = format!("{POLICY}{}", "x: y\n".repeat(POLICY_OCTETS_MAX / 5));
    assert_eq!(StsPolicy::parse(large.as_bytes()), Err(StsPolicyFault::TooLarge));
    assert_eq!(StsPolicy::parse(b"version: \xff"), Err(StsPolicyFault::Encoding));
}

#[test]
fn the_first_of_a_key_counts_and_a_policy_of_none_needs_no_hosts() {
    let text = "version: STSv1\nmode: none\nmode: enforce\nmax_age: 0\nfuture: x\n";
    let policy = StsPolicy::parse(text.as_bytes()).unwrap();
    assert_eq!((policy.mode, policy.max_age), (StsMode::None, Span::ZERO));
}

fn kept(id: &str, fetched: Instant) -> KeptPolicy {
    KeptPolicy { policy: StsPolicy::parse(POLICY.as_bytes()).unwrap(), id: id.into(), fetched }
}

#[test]
fn a_kept_policy_counts_until_it_is_too_old_or_another_is_announced() {
    let at = |s: u64| Instant::from_unix_s(1_000_000 + s);
    let kept = kept("a", at(0));
    let same = Announced::Policy("a".into());
    let other = Announced::Policy("b".into());
    assert_eq!(Step::next(&same, Some(&kept), at(604_799)), Step::UseKept);
    assert_eq!(Step::next(&same, Some(&kept), at(604_800)), Step::Fetch);
    assert_eq!(Step::next(&other, Some(&kept), at(1)), Step::Fetch);
    assert_eq!(Step::next(&same, None, at(1)), Step::Fetch);
    // A record that is gone, or hidden by somebody, changes nothing while the policy is fresh.
    assert_eq!(Step::next(&Announced::Nothing, Some(&kept), at(604_799)), Step::UseKept);
    assert_eq!(Step::next(&Announced::Nothing, Some(&kept), at(604_800)), Step::NoPolicy);
    assert_eq!(KeptPolicy::in_force(Some(&kept), at(604_799)), Some(&kept.policy));
    assert_eq!(KeptPolicy::in_force(Some(&kept), at(604_800)), None);
}

#[test]
fn a_kept_policy_is_fetched_again_after_a_day_or_half_its_time() {
    let at = |s: u64| Instant::from_unix_s(1_000_000 + s);
    let long = kept("a", at(0));
    assert!(!long.is_to_be_renewed(at(86_399)));
    assert!(long.is_to_be_renewed(at(86_400)));
    let mut short = kept("a", at(0));
    short.policy.max_age = Span::from_s(600);
    assert!(!short.is_to_be_renewed(at(299)));
    assert!(short.is_to_be_renewed(at(300)) && short.is_fresh(at(300)));
}

proptest! {
    #[test]
    fn a_policy_reads_as_it_prints(text in prop::collection::vec(any::<u8>(), 0..80), max_age in 0_u64..=31_557_600) {
        let mut whole = POLICY.replace("604800", &max_age.to_string()).into_bytes();
        whole.extend(text);
        if let Ok(policy) = StsPolicy::parse(&whole) {
            prop_assert_eq!(StsPolicy::parse(policy.to_string().as_bytes()), Ok(policy));
        }
    }

    #[test]
    fn any_octets_are_a_policy_or_none(text in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = StsPolicy::parse(&text);
        let _ = StsRecord::of([text.as_slice()]);
        let mut behind = POLICY.as_bytes().to_vec();
        behind.extend(&text);
        let _ = StsPolicy::parse(&behind);
        let mut behind = b"v=STSv1; ".to_vec();
        behind.extend(text);
        let _ = StsRecord::of([behind.as_slice()]);
    }

    #[test]
    fn a_pattern_fits_the_name_it_was_made_of(labels in prop::collection::vec("[a-z0-9]{1,8}", 2..5)) {
        let host = name(&labels.join("."));
        prop_assert!(MxPattern::parse(host.as_str()).unwrap().fits(&host));
        let wild = MxPattern::parse(&format!("*.{}", labels[1..].join("."))).unwrap();
        prop_assert!(wild.fits(&host));
        let below = name(&format!("x.{host}"));
        prop_assert!(!wild.fits(&below));
    }
}
