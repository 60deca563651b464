//! Sessions with hosts over real sockets: what reaches a host, and what is told of it.

mod certificates;
mod host;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use postlane_mail::{
    BodyType, Envelope, Label, Mailbox, Recipient, ReversePath, Span, Stage, Stream,
};
use postlane_smtp::client::{Outcome, Timeouts, TlsPolicy};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;
use crate::tls::Minimum;
use certificates::Authority;
use host::{Host, play};

/// What is told of a session.
#[derive(Debug)]
enum Told {
    Opened(Arc<SessionFacts>),
    Finished(Finished),
    Ended(End, Arc<SessionFacts>, String),
    Broken(Arc<SessionFacts>),
}

struct Listener(UnboundedSender<Told>);

impl Events for Listener {
    fn opened(&mut self, facts: &Arc<SessionFacts>) {
        self.0.send(Told::Opened(facts.clone())).unwrap();
    }

    fn finished(&mut self, finished: Finished, _: &Arc<SessionFacts>) {
        self.0.send(Told::Finished(finished)).unwrap();
    }

    fn ended(&mut self, end: End, facts: &Arc<SessionFacts>, transcript: &Transcript) {
        self.0.send(Told::Ended(end, facts.clone(), transcript.to_string())).unwrap();
    }

    fn broken(&mut self, facts: &Arc<SessionFacts>) {
        self.0.send(Told::Broken(facts.clone())).unwrap();
    }
}

fn settings(tls: TlsPolicy) -> Settings {
    Settings {
        ehlo_name: "out.example.com".into(),
        own_name: None,
        tls,
        auth: None,
        auth_without_tls: false,
        chunking: true,
        timeouts: Timeouts::default(),
    }
}

fn call(address: SocketAddr, smtp: Settings, tls: ClientTls) -> Call {
    let start = std::time::Instant::now();
    let now =
        move || Instant::from_unix_s(1_800_000_000) + Span(start.elapsed().as_micros() as u64);
    Call {
        source: None,
        address,
        host: "mx.example.net".into(),
        smtp,
        tls,
        connect_timeout: Duration::from_secs(20),
        now: Arc::new(now),
    }
}

fn open(call: Call) -> (Session, UnboundedReceiver<Told>) {
    let (sender, told) = unbounded_channel();
    (Session::open(call, Listener(sender)), told)
}

fn plain(address: SocketAddr) -> Call {
    call(address, settings(TlsPolicy::Never), ClientTls::opportunistic(Minimum::V12))
}

fn message(id: u64, text: impl Into<Bytes>) -> Transaction {
    let envelope = Envelope {
        reverse_path: ReversePath::parse("a@example.com").unwrap(),
        recipients: vec![Recipient::new(Mailbox::parse("b@example.net").unwrap())],
        body: BodyType::SevenBit,
        smtputf8: false,
        ret: None,
        envid: None,
        stream: Stream::default(),
        tenant: Label::NONE,
        campaign: Label::NONE,
        engaged: None,
    };
    Transaction {
        id,
        recipients: [0].into_iter().collect(),
        envelope: Arc::new(envelope),
        reverse_path: None,
        message: [text.into()].into_iter().collect(),
        eight_bit_body: false,
        eight_bit_header: false,
    }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn opened(told: &mut UnboundedReceiver<Told>) -> Arc<SessionFacts> {
    match told.recv().await {
        Some(Told::Opened(facts)) => facts,
        other => panic!("not opened: {other:?}"),
    }
}

async fn finished(told: &mut UnboundedReceiver<Told>) -> (u64, Outcome) {
    match told.recv().await {
        Some(Told::Finished(mut finished)) => {
            (finished.id, finished.recipients.pop().unwrap().outcome)
        }
        other => panic!("not finished: {other:?}"),
    }
}

/// How it ended, and that nothing came behind.
async fn ended(told: &mut UnboundedReceiver<Told>) -> (End, Arc<SessionFacts>) {
    let Some(Told::Ended(end, facts, _)) = told.recv().await else { panic!("not ended") };
    assert!(told.recv().await.is_none());
    (end, facts)
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(reply) => format!("accepted: {reply}"),
        Outcome::Refused { stage, reply } => format!("refused at {stage}: {reply}"),
        other => format!("{other:?}"),
    }
}

const HELLO: &str = "
    S: 220 mx.example.net
    C: EHLO out.example.com
    S: 250-mx.example.net
    S: 250 PIPELINING
";

#[tokio::test]
async fn two_messages_go_out_on_one_session_and_it_ends_when_it_is_dropped() {
    let (listener, address) = listener().await;
    let host = Host::on(
        listener,
        "S: 220 mx.example.net hello
        C: EHLO out.example.com
        S: 250-mx.example.net
        S: 250 PIPELINING
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: ..one
        C: .
        S: 250 2.0.0 queued
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        S: 250 ok
        S: 550 5.1.1 nobody
        S: 554 5.5.1 nobody
        C: QUIT
        S: 221 bye",
    );
    let (session, mut told) = open(plain(address));
    let facts = opened(&mut told).await;
    assert_eq!(facts.remote, address);
    assert_eq!(facts.banner.as_ref().unwrap().to_string(), "220 mx.example.net hello");
    assert!(facts.tls.is_none() && facts.local.is_some());
    session.begin(message(1, ".one\r\n")).unwrap();
    let (id, outcome) = finished(&mut told).await;
    assert_eq!((id, said(&outcome).as_str()), (1, "accepted: 250 2.0.0 queued"));
    session.begin(message(2, "two\r\n")).unwrap();
    drop(session);
    let (id, outcome) = finished(&mut told).await;
    assert_eq!((id, said(&outcome).as_str()), (2, "refused at rcpt: 550 5.1.1 nobody"));
    assert_eq!(ended(&mut told).await.0, End::Session(SessionEnd::Quit));
    host.done().await;
}

#[tokio::test]
async fn a_session_calls_from_its_source_and_from_no_address_that_is_not_ours() {
    let (listener, address) = listener().await;
    let source = IpAddr::from([127, 0, 0, 77]);
    let (_session, mut told) = open(Call { source: Some(source), ..plain(address) });
    let (stream, from) = listener.accept().await.unwrap();
    assert_eq!(from.ip(), source);
    drop(stream);
    let (end, facts) = ended(&mut told).await;
    assert_eq!(end, End::Session(SessionEnd::Lost(Stage::Connect)));
    assert_eq!(facts.local.unwrap().ip(), source);

    let source = IpAddr::from([192, 0, 2, 1]);
    let (session, mut told) = open(Call { source: Some(source), ..plain(address) });
    // It is not lost: it has not been tried, or is given back.
    let begun = session.begin(message(1, "x\r\n"));
    if begun.is_ok() {
        assert_eq!(finished(&mut told).await, (1, Outcome::NotTried));
    }
    let End::NotConnected(error) = ended(&mut told).await.0 else { panic!("connected") };
    assert!(
        matches!(error, ConnectError::Source { source_address, .. } if source_address == source)
    );
    assert!(session.begin(message(2, "x\r\n")).is_err());
}

#[tokio::test]
async fn where_nobody_listens_the_connection_is_refused() {
    let (listener, address) = listener().await;
    drop(listener);
    let (_session, mut told) = open(plain(address));
    assert_eq!(ended(&mut told).await.0, End::NotConnected(ConnectError::Refused));
}

#[tokio::test]
async fn a_host_that_says_nothing_is_given_up() {
    let (listener, address) = listener().await;
    let mut smtp = settings(TlsPolicy::Never);
    smtp.timeouts.greeting = Span::from_ms(5);
    let (_session, mut told) = open(call(address, smtp, ClientTls::opportunistic(Minimum::V12)));
    let _stream = listener.accept().await.unwrap();
    assert_eq!(ended(&mut told).await.0, End::Session(SessionEnd::TimedOut(Stage::Connect)));
}

/// More than the buffers of two sockets on the loopback hold.
fn large() -> Bytes {
    b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n".repeat(500_000).into()
}

const TAKES_SOME: &str = "
    C: MAIL FROM:<a@example.com>
    C: RCPT TO:<b@example.net>
    C: DATA
    S: 250 ok
    S: 250 ok
    S: 354 go
    C: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
";

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_message_is_heard() {
    for (last, refused) in [
        ("S: 552 5.3.4 too large", "refused at dot: 552 5.3.4 too large"),
        ("S: 421 4.3.2 closing", "refused at dot: 421 4.3.2 closing"),
    ] {
        let (listener, address) = listener().await;
        let host = Host::on(listener, &format!("{HELLO}{TAKES_SOME}{last}"));
        let (session, mut told) = open(plain(address));
        opened(&mut told).await;
        session.begin(message(1, large())).unwrap();
        let (_, outcome) = finished(&mut told).await;
        assert_eq!(said(&outcome), refused);
        host.done().await;
        session.quit();
        ended(&mut told).await;
    }
}

#[tokio::test]
async fn a_host_that_goes_in_the_middle_of_a_message_has_not_got_it() {
    let (listener, address) = listener().await;
    let host = Host::on(listener, &format!("{HELLO}{TAKES_SOME}"));
    let (session, mut told) = open(plain(address));
    opened(&mut told).await;
    session.begin(message(1, large())).unwrap();
    host.done().await;
    assert_eq!(finished(&mut told).await, (1, Outcome::Interrupted));
    assert_eq!(ended(&mut told).await.0, End::Session(SessionEnd::Lost(Stage::Dot)));
}

#[tokio::test]
async fn a_host_that_takes_nothing_more_is_given_up() {
    let (listener, address) = listener().await;
    let host = Host::on(listener, &format!("{HELLO}{TAKES_SOME}hold"));
    let mut smtp = settings(TlsPolicy::Never);
    smtp.timeouts.block = Span::from_ms(20);
    let (session, mut told) = open(call(address, smtp, ClientTls::opportunistic(Minimum::V12)));
    opened(&mut told).await;
    session.begin(message(1, large())).unwrap();
    assert_eq!(finished(&mut told).await, (1, Outcome::Interrupted));
    assert_eq!(ended(&mut told).await.0, End::Session(SessionEnd::TimedOut(Stage::Dot)));
    drop(host);
}

#[tokio::test]
async fn a_host_that_goes_behind_the_final_dot_may_have_got_it() {
    let (listener, address) = listener().await;
    let host = Host::on(
        listener,
        &format!(
            "{HELLO}
        C: MAIL FROM:<a@example.com>
        C: RCPT TO:<b@example.net>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: x
        C: ."
        ),
    );
    let (session, mut told) = open(plain(address));
    opened(&mut told).await;
    session.begin(message(1, "x\r\n")).unwrap();
    assert_eq!(finished(&mut told).await, (1, Outcome::Unknown));
    assert_eq!(ended(&mut told).await.0, End::Session(SessionEnd::Lost(Stage::Dot)));
    host.done().await;
}

const OFFERS_TLS: &str = "
    S: 220 mx.example.net
    C: EHLO out.example.com
    S: 250-mx.example.net
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go
";

const UNDER_TLS: &str = "
    C: EHLO out.example.com
    S: 250-mx.example.net
    S: 250 CHUNKING
    C: MAIL FROM:<a@example.com>
    S: 250 ok
    C: RCPT TO:<b@example.net>
    S: 250 ok
    C: BDAT 8 LAST
    C: secret
    S: 250 ok
    C: QUIT
    S: 221 bye
";

/// One message under TLS, with the policy and in the host's name; how the session ended.
async fn under_tls(
    policy: TlsPolicy,
    tls: ClientTls,
    host_name: &str,
    authority: &Authority,
) -> End {
    let (listener, address) = listener().await;
    let acceptor = authority.acceptor(&["mx.example.net"]);
    let host = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let from_start = policy == TlsPolicy::FromStart;
        if !from_start {
            play(&mut stream, OFFERS_TLS).await;
        }
        let Ok(mut stream) = acceptor.accept(stream).await else { return };
        if from_start {
            play(&mut stream, "S: 220 mx.example.net").await;
        }
        play(&mut stream, UNDER_TLS).await;
    });
    let (session, mut told) =
        open(Call { host: host_name.into(), ..call(address, settings(policy), tls) });
    session.begin(message(1, "secret\r\n")).unwrap();
    session.quit();
    let end = loop {
        match told.recv().await.unwrap() {
            Told::Opened(facts) => {
                assert!(facts.tls.as_ref().unwrap().version.starts_with("TLSv1."))
            }
            Told::Finished(mut finished) => {
                let outcome = finished.recipients.pop().unwrap().outcome;
                assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::NotTried), "{outcome:?}");
            }
            Told::Ended(end, ..) => break end,
            broken @ Told::Broken(_) => panic!("{broken:?}"),
        }
    };
    host.await.unwrap();
    end
}

fn failed(end: &End) -> &str {
    match end {
        End::Session(SessionEnd::TlsFailed(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn opportunistic_tls_asks_for_no_certificate_of_anybody() {
    let authority = Authority::new();
    for minimum in [Minimum::V12, Minimum::V13] {
        let tls = ClientTls::opportunistic(minimum);
        let end = under_tls(TlsPolicy::Opportunistic, tls, "other.example", &authority).await;
        assert_eq!(end, End::Session(SessionEnd::Quit));
    }
}

#[tokio::test]
async fn required_tls_asks_for_the_hosts_name_by_an_authority_that_is_believed() {
    let (ours, other) = (Authority::new(), Authority::new());
    let required = || ClientTls::required(Minimum::V12, Some(&ours.file())).unwrap();
    for policy in [TlsPolicy::Required, TlsPolicy::FromStart] {
        let end = under_tls(policy, required(), "mx.example.net.", &ours).await;
        assert_eq!(end, End::Session(SessionEnd::Quit));
        let end = under_tls(policy, required(), "other.example", &ours).await;
        assert!(failed(&end).contains("certificate"), "{end:?}");
        let end = under_tls(policy, required(), "mx.example.net", &other).await;
        assert!(failed(&end).contains("certificate"), "{end:?}");
    }
    // Nobody in the system's list knows our authority.
    let system = ClientTls::required(Minimum::V13, None);
    if let Ok(system) = system {
        let end = under_tls(TlsPolicy::Required, system, "mx.example.net", &ours).await;
        failed(&end);
    }
}

#[tokio::test]
async fn a_host_that_speaks_no_tls_after_all_fails_the_handshake() {
    let (listener, address) = listener().await;
    let host = Host::on(listener, &format!("{OFFERS_TLS}S: 220 what?"));
    let tls = ClientTls::opportunistic(Minimum::V12);
    let (_session, mut told) = open(call(address, settings(TlsPolicy::Opportunistic), tls));
    let Some(Told::Ended(end, facts, transcript)) = told.recv().await else { panic!("open") };
    failed(&end);
    assert!(facts.tls.is_none() && facts.banner.is_some());
    assert!(transcript.ends_with("C: STARTTLS\n") || transcript.ends_with("S: 220 go\n"));
    host.done().await;
}

/// Whoever hears of it breaks, as by a fault of ours, when a message is done.
struct Breaking(UnboundedSender<Told>);

impl Events for Breaking {
    fn opened(&mut self, facts: &Arc<SessionFacts>) {
        self.0.send(Told::Opened(facts.clone())).unwrap();
    }

    fn finished(&mut self, finished: Finished, _: &Arc<SessionFacts>) {
        assert_eq!(finished.id, 0, "a fault of ours");
    }

    fn ended(&mut self, end: End, facts: &Arc<SessionFacts>, transcript: &Transcript) {
        self.0.send(Told::Ended(end, facts.clone(), transcript.to_string())).unwrap();
    }

    fn broken(&mut self, facts: &Arc<SessionFacts>) {
        self.0.send(Told::Broken(facts.clone())).unwrap();
    }
}

#[tokio::test]
async fn a_session_that_a_fault_of_ours_breaks_is_told_of() {
    let (listener, address) = listener().await;
    let host = Host::on(
        listener,
        &format!(
            "{HELLO}
            C: MAIL FROM:<a@example.com>
            C: RCPT TO:<b@example.net>
            C: DATA
            S: 550 5.7.1 no
            S: 503 5.5.1 no
            S: 503 5.5.1 no"
        ),
    );
    let (sender, mut told) = unbounded_channel();
    let session = Session::open(plain(address), Breaking(sender));
    session.begin(message(1, "Subject: a\r\n\r\n")).unwrap();
    assert!(matches!(told.recv().await, Some(Told::Opened(_))));
    assert!(matches!(told.recv().await, Some(Told::Broken(facts)) if facts.remote == address));
    assert!(told.recv().await.is_none(), "nothing comes after it");
    // Who has more for it hears that it is gone.
    assert!(session.begin(message(2, "Subject: b\r\n\r\n")).is_err());
    drop(host);
}
