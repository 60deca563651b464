use hickory_resolver::net::NoRecords;
use hickory_resolver::proto::op::{MessageType, OpCode, Query};
use hickory_resolver::proto::rr::Record;
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, SOA};

use super::*;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn message(code: ResponseCode) -> Message {
    let mut message = Message::new(1, MessageType::Response, OpCode::Query);
    message.metadata.response_code = code;
    message
}

fn with_answer(mut message: Message, owner: &str, ttl_s: u32, data: RData) -> Message {
    message.answers.push(Record::from_rdata(name(owner), ttl_s, data));
    message
}

fn with_soa(mut message: Message) -> Message {
    let soa = SOA::new(name("ns.test."), name("root.test."), 1, 2, 3, 4, 900);
    message.authorities.push(Record::from_rdata(name("test."), 1_800, RData::SOA(soa)));
    message
}

fn a(last: u8) -> RData {
    RData::A(A::new(192, 0, 2, last))
}

fn alias(target: &str) -> RData {
    RData::CNAME(CNAME(name(target)))
}

fn v4(message: &Message, asked: &str) -> Result<Reading<IpAddr>, DnsError> {
    read(message, &name(asked), Addresses(Family::V4))
}

#[test]
fn records_of_the_name_are_taken_with_the_least_ttl() {
    let message = with_answer(message(ResponseCode::NoError), "mx.test.", 300, a(1));
    let message = with_answer(message, "MX.test.", 200, a(2));
    let message = with_answer(message, "other.test.", 1, a(3));
    let message =
        with_answer(message, "mx.test.", 1, RData::AAAA(AAAA::new(1, 0, 0, 0, 0, 0, 0, 1)));
    let records = vec!["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()];
    assert_eq!(v4(&message, "mx.test."), Ok(Reading::Records { records, ttl_s: 200 }));
}

#[test]
fn aliases_are_followed_within_the_message_in_any_order() {
    let message = with_answer(message(ResponseCode::NoError), "c.test.", 300, a(1));
    let message = with_answer(message, "b.test.", 60, alias("c.test."));
    let message = with_answer(message, "a.test.", 120, alias("b.test."));
    let records = vec!["192.0.2.1".parse().unwrap()];
    assert_eq!(v4(&message, "a.test."), Ok(Reading::Records { records, ttl_s: 60 }));
}

#[test]
fn an_alias_that_leads_out_of_the_message_is_to_be_asked_for() {
    let message = with_answer(message(ResponseCode::NoError), "a.test.", 60, alias("b.example."));
    let target = name("b.example.");
    assert_eq!(v4(&message, "a.test."), Ok(Reading::Alias { target, aliases: 1, ttl_s: 60 }));
}

#[test]
fn an_alias_of_nothing_is_nothing() {
    let to_b = |code| with_answer(with_soa(message(code)), "a.test.", 60, alias("b.test."));
    let ttl = Span::from_s(60);
    assert_eq!(v4(&to_b(ResponseCode::NoError), "a.test."), Err(DnsError::NoData { ttl }));
    assert_eq!(v4(&to_b(ResponseCode::NXDomain), "a.test."), Err(DnsError::NxDomain { ttl }));
}

#[test]
fn aliases_that_go_round_are_given_up() {
    let message = with_answer(message(ResponseCode::NoError), "a.test.", 60, alias("b.test."));
    let message = with_answer(message, "b.test.", 60, alias("a.test."));
    assert_eq!(v4(&message, "a.test."), Err(DnsError::AliasLoop));
}

#[test]
fn answers_about_other_names_are_not_believed() {
    let message = with_answer(message(ResponseCode::NoError), "evil.test.", 60, a(66));
    assert!(matches!(v4(&message, "mx.test."), Err(DnsError::Malformed(_))));
}

#[test]
fn records_that_come_with_an_error_do_not_count() {
    let message = with_answer(message(ResponseCode::Unknown(3_841)), "mx.test.", 60, a(1));
    assert_eq!(v4(&message, "mx.test."), Err(DnsError::ResponseCode(3_841)));
}

#[test]
fn exchanges_are_hosts_the_root_or_unusable() {
    let mut reply = message(ResponseCode::NoError);
    let unusable = Name::from_labels([&b"a b"[..], b"test"]).unwrap();
    for target in [name("MX.Test."), Name::root(), unusable] {
        reply = with_answer(reply, "test.", 60, RData::MX(MX::new(10, target)));
    }
    let Ok(Reading::Records { records, .. }) = read(&reply, &name("test."), MxRecords) else {
        panic!("there are records");
    };
    let exchanges: Vec<Exchange> = records.into_iter().map(|mx| mx.exchange).collect();
    assert_eq!(exchanges[0], Exchange::Host(Domain::parse("mx.test").unwrap()));
    assert_eq!(exchanges[1], Exchange::Root);
    assert!(matches!(exchanges[2], Exchange::Unusable(_)));
}

#[test]
fn an_answer_of_thousands_of_records_is_cut() {
    let mut reply = message(ResponseCode::NoError);
    for last in 0..=255 {
        reply = with_answer(reply, "mx.test.", 60, a(last));
    }
    let Ok(Reading::Records { records, .. }) = v4(&reply, "mx.test.") else {
        panic!("there are records");
    };
    assert_eq!(records.len(), RECORDS_MAX);
}

fn nothing(code: ResponseCode) -> NoRecords {
    NoRecords::new(Query::query(name("mx.test."), RecordType::A), code)
}

#[test]
fn a_name_that_does_not_exist_is_no_name_without_records() {
    let mut unknown = nothing(ResponseCode::NXDomain);
    unknown.negative_ttl = Some(900);
    let ttl = Span::from_s(900);
    assert_eq!(read_error(&unknown.into()), DnsError::NxDomain { ttl });
    let ttl = Span::ZERO;
    assert_eq!(read_error(&nothing(ResponseCode::NoError).into()), DnsError::NoData { ttl });
}

#[test]
fn a_referral_does_not_say_that_there_is_nothing() {
    let ns = Record::from_rdata(name("test."), 60, RData::NS(NS(name("ns.test."))));
    let mut referral = nothing(ResponseCode::NoError);
    referral.ns = Some([hickory_resolver::net::ForwardNSData { ns, glue: [].into() }].into());
    assert!(matches!(read_error(&referral.into()), DnsError::Malformed(_)));
}

#[test]
fn every_way_a_server_can_fail_is_told_apart() {
    let code = |code| read_error(&NetError::Dns(Semantic::ResponseCode(code)));
    assert_eq!(code(ResponseCode::ServFail), DnsError::ServFail);
    assert_eq!(code(ResponseCode::Refused), DnsError::Refused);
    assert_eq!(code(ResponseCode::NotImp), DnsError::ResponseCode(4));
    assert_eq!(read_error(&NetError::Timeout), DnsError::TimedOut);
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    assert!(matches!(read_error(&refused.into()), DnsError::Unreachable(_)));
    assert!(matches!(read_error(&NetError::Truncated), DnsError::Malformed(_)));
}

#[test]
fn a_ttl_with_the_highest_bit_set_is_none() {
    assert_eq!(seconds(0x8000_0000), Span::ZERO);
    assert_eq!(seconds(0x7fff_ffff).as_s(), 0x7fff_ffff);
}
