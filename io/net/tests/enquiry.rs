//! What checks ask of servers: web servers on the loopback with every fault they can have, an
//! exchanger, and name servers.

#![expect(clippy::unwrap_used, reason = "a test may fail by unwrapping")]

#[path = "peer/knot.rs"]
mod knot;
#[path = "peer/unbound.rs"]
mod unbound;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use knot::{Knot, Zone};
use postlane_checks::tlsa::TlsaRecord;
use postlane_checks::{
    Answer, Authority, FetchFailure, Fetched, Greeting, KeysSeen, Kind, Known, Name, Page,
    Question, Record, SendingDomain, Served, Verb, check_domain,
};
use postlane_mail::{Instant, Span};
use postlane_net::dns::{Freshness, NameServers, Resolver, ResolverSettings};
use postlane_net::enquiry::{Enquiry, Mapped};
use postlane_net::tls::Trust;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use unbound::{Unbound, trust_anchor};

/// An authority, its certificate in a file.
struct Authorities {
    issuer: CertifiedIssuer<'static, KeyPair>,
    home: TempDir,
}

impl Authorities {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let home = TempDir::new().unwrap();
        std::fs::write(home.path().join("root.pem"), issuer.pem()).unwrap();
        Self { issuer, home }
    }

    fn file(&self) -> PathBuf {
        self.home.path().join("root.pem")
    }

    /// A certificate for a host, until a year.
    fn host(&self, name: &str, until: i32) -> Host {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let der = CertificateDer::from(certificate.der().to_vec());
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der.clone()], private)
            .unwrap();
        Host { der: der.to_vec(), acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

struct Host {
    der: Vec<u8>,
    acceptor: TlsAcceptor,
}

/// A web server that answers everything with these octets; `stall` never ends them.
async fn web(host: &Host, answer: Vec<u8>, stall: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = host.acceptor.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.flush().await;
            if stall {
                std::future::pending::<()>().await;
            }
            let _ = stream.shutdown().await;
        }
    });
    address
}

fn http(status: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{head}\r\n", body.len()).into_bytes();
    answer.extend(body);
    answer
}

fn resolver(server: SocketAddr) -> Resolver {
    Resolver::new(&NameServers::given(vec![server]).unwrap(), ResolverSettings::default())
}

/// No name server listens there: everything is mapped.
fn nowhere() -> Resolver {
    resolver(([127, 0, 0, 1], 9).into())
}

fn enquiry(resolver: Resolver, roots: &[PathBuf], map: &[String]) -> Enquiry {
    let mapped = Mapped::parse(map.iter().map(String::as_str)).unwrap();
    Enquiry::new(resolver, Trust::with_roots(roots).unwrap(), mapped, "probe.example")
        .with_page_patience(Duration::from_millis(1_500))
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

async fn fetched(enquiry: &Enquiry, page: &Page) -> Fetched {
    let mut known = Known::new();
    assert_eq!(known.fetch(page), None);
    enquiry.complete(&mut known).await;
    known.fetch(page).unwrap().clone()
}

const POLICY: &[u8] = b"version: STSv1\nmode: enforce\nmx: mail.example\nmax_age: 604800\n";

fn policy_page() -> Page {
    let path = "/.well-known/mta-sts.txt".into();
    Page { host: name("mta-sts.example"), path, octets_max: 64 << 10, verb: Verb::Get }
}

#[tokio::test]
async fn a_page_is_fetched_and_every_fault_of_a_web_server_is_told() {
    let authorities = Authorities::new();
    let good = authorities.host("mta-sts.example", 2040);
    let text = "Content-Type: text/plain; charset=utf-8\r\n";
    let from = async |host: &Host, answer: Vec<u8>, stall: bool| {
        let address = web(host, answer, stall).await;
        let map = [format!("mta-sts.example:443={address}")];
        fetched(&enquiry(nowhere(), &[authorities.file()], &map), &policy_page()).await
    };
    let failed = Fetched::Failed;
    let page = |status, media_type: &str, body: &[u8]| Fetched::Page {
        status,
        media_type: media_type.into(),
        location: "".into(),
        body: body.into(),
    };
    assert_eq!(
        from(&good, http("200 OK", text, POLICY), false).await,
        page(200, "text/plain", POLICY)
    );
    let moved = http("302 Found", "Location: https://elsewhere.example/\r\n", b"");
    let leads = Fetched::Page {
        status: 302,
        media_type: "".into(),
        location: "https://elsewhere.example/".into(),
        body: Box::default(),
    };
    assert_eq!(from(&good, moved, false).await, leads);
    assert_eq!(
        from(&good, http("404 Not Found", text, b"x"), false).await,
        page(404, "text/plain", b"")
    );
    let large = http("200 OK", text, &vec![b'x'; (64 << 10) + 1]);
    assert_eq!(from(&good, large, false).await, failed(FetchFailure::TooLarge));
    // Without a length, and without an end.
    let mut endless = format!("HTTP/1.1 200 OK\r\n{text}\r\n").into_bytes();
    endless.extend(vec![b'x'; 5 << 20]);
    assert_eq!(from(&good, endless, true).await, failed(FetchFailure::TooLarge));
    let slow = format!("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n{text}\r\nx").into_bytes();
    assert_eq!(from(&good, slow, true).await, failed(FetchFailure::TimedOut));
    let said = from(&good, b"SSH-2.0-x\r\n".to_vec(), false).await;
    assert!(matches!(said, Fetched::Failed(FetchFailure::Malformed(_))), "{said:?}");
    for bad in [authorities.host("mta-sts.example", 2021), authorities.host("other.example", 2040)]
    {
        let said = from(&bad, http("200 OK", text, POLICY), false).await;
        assert!(matches!(said, Fetched::Failed(FetchFailure::Certificate(_))), "{said:?}");
    }
    let stranger = Authorities::new().host("mta-sts.example", 2040);
    let said = from(&stranger, http("200 OK", text, POLICY), false).await;
    assert!(matches!(said, Fetched::Failed(FetchFailure::Certificate(_))), "{said:?}");
}

#[tokio::test]
async fn nobody_is_called_in_a_private_network() {
    let records = "inside A 127.0.0.1\nalso A 10.1.2.3\nalso AAAA fd00::1\n@ MX 10 inside\n";
    let knot = Knot::start(&[Zone { name: "example", records: Some(records), signed: false }]);
    let enquiry = enquiry(resolver(knot.address()), &[], &[]);
    for host in ["inside.example", "also.example"] {
        let page = Page { host: name(host), path: "/".into(), octets_max: 10, verb: Verb::Get };
        assert_eq!(fetched(&enquiry, &page).await, Fetched::Failed(FetchFailure::Private));
    }
    let page =
        Page { host: name("nobody.example"), path: "/".into(), octets_max: 10, verb: Verb::Get };
    assert_eq!(fetched(&enquiry, &page).await, Fetched::Failed(FetchFailure::NoAddress));
    let mut known = Known::new();
    known.greet(&name("inside.example"));
    enquiry.complete(&mut known).await;
    let greeting = known.greet(&name("inside.example")).unwrap();
    assert!(matches!(greeting, Greeting::Failed(why) if why.contains("private")), "{greeting:?}");
}

#[tokio::test]
async fn a_name_server_is_asked_itself() {
    let knot = Knot::start(&[Zone { name: "example", records: Some(""), signed: false }]);
    let map = [format!("192.0.2.53:53={}", knot.address())];
    let enquiry = enquiry(nowhere(), &[], &map);
    let authority = |zone: &str| Authority { zone: name(zone), server: [192, 0, 2, 53].into() };
    let mut known = Known::new();
    for zone in ["example", "elsewhere"] {
        known.ask_authority(&authority(zone));
    }
    enquiry.complete(&mut known).await;
    let served = known.ask_authority(&authority("example"));
    assert!(matches!(served, Some(Served::Serial { serial: 1, .. })), "{served:?}");
    assert_eq!(known.ask_authority(&authority("elsewhere")), Some(&Served::Lame));
}

/// An exchanger that speaks as much as is needed; with a certificate it offers STARTTLS.
async fn exchanger(host: Option<&Host>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = host.map(|host| host.acceptor.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A caller that ends before its time ends the dialogue.
            let _ = talk(stream, acceptor.as_ref()).await;
        }
    });
    address
}

async fn talk(mut stream: TcpStream, acceptor: Option<&TlsAcceptor>) -> std::io::Result<()> {
    let mut heard = vec![0; 512];
    stream.write_all(b"220-mail.example\r\n220 ESMTP\r\n").await?;
    let _ = stream.read(&mut heard).await?;
    let Some(acceptor) = acceptor else {
        stream.write_all(b"250-mail.example\r\n250 SIZE\r\n").await?;
        return stream.shutdown().await;
    };
    stream.write_all(b"250-mail.example\r\n250-STARTTLS\r\n250 SIZE\r\n").await?;
    let _ = stream.read(&mut heard).await?;
    stream.write_all(b"220 go on\r\n").await?;
    let mut stream = acceptor.accept(stream).await?;
    let _ = stream.read(&mut heard).await?;
    stream.shutdown().await
}

#[tokio::test]
async fn an_exchanger_shows_whether_it_encrypts_and_with_what() {
    let authorities = Authorities::new();
    let host = authorities.host("mail.example", 2040);
    let (good, plain) = (exchanger(Some(&host)).await, exchanger(None).await);
    let map = [format!("mail.example:25={good}"), format!("plain.example:25={plain}")];
    let enquiry = enquiry(nowhere(), &[authorities.file()], &map);
    let mut known = Known::new();
    for host in ["mail.example", "plain.example"] {
        known.greet(&name(host));
    }
    enquiry.complete(&mut known).await;
    let chain = vec![host.der.clone().into()];
    let encrypted = Greeting::Encrypted { chain, distrust: None, version: "TLSv1.3".into() };
    assert_eq!(known.greet(&name("mail.example")), Some(&encrypted));
    assert_eq!(known.greet(&name("plain.example")), Some(&Greeting::Plain));
}

/// Looks at a domain of a signed zone with a TLSA record, its policy and its exchanger at hand.
async fn looked_at(
    tlsa: &TlsaRecord,
    host: &Host,
    authorities: &Authorities,
) -> [(String, String); 4] {
    let digits: String = tlsa.association.iter().map(|octet| format!("{octet:02X}")).collect();
    let records = format!(
        "@ MX 10 mail\nmail A 192.0.2.25\n_25._tcp.mail TLSA 3 1 1 {digits}\n\
         _mta-sts TXT \"v=STSv1; id=1\"\n@ TXT \"v=spf1 mx -all\"\n"
    );
    let knot = Knot::start(&[Zone { name: "example", records: Some(&records), signed: true }]);
    let anchor = trust_anchor(&knot, "example");
    let unbound = Unbound::start(&knot, &["example"], &[anchor]);
    let web_host = authorities.host("mta-sts.example", 2040);
    let web = web(&web_host, http("200 OK", "Content-Type: text/plain\r\n", POLICY), false).await;
    let mail = exchanger(Some(host)).await;
    let map = [format!("mta-sts.example:443={web}"), format!("mail.example:25={mail}")];
    let enquiry = enquiry(resolver(unbound.address()), &[authorities.file()], &map);
    let asked = SendingDomain {
        name: name("example"),
        return_path: name("example"),
        selectors: Vec::new(),
        selectors_are_guessed: true,
        addresses: Vec::new(),
        now: Instant::from_unix_s(1_790_000_000),
        registered: None,
        may_call: true,
        unsubscribe: Vec::new(),
        spf_source: None,
        keys_seen: KeysSeen::default(),
    };
    let mut known = Known::new();
    for _ in 0..20 {
        if let Some(report) = check_domain(&mut known, &asked) {
            return ["TLS-05", "TLS-07", "TLS-09", "TLS-11"].map(|id| {
                let finding = report.findings.iter().find(|finding| finding.id == id).unwrap();
                (finding.outcome.as_str().to_owned(), finding.evidence.clone())
            });
        }
        enquiry.complete(&mut known).await;
    }
    panic!("the questions do not end");
}

#[tokio::test]
async fn a_signed_record_names_the_certificate_or_another_one() {
    let authorities = Authorities::new();
    let (host, other) =
        (authorities.host("mail.example", 2040), authorities.host("mail.example", 2040));
    let of = |host: &Host| {
        TlsaRecord::of_key(&postlane_checks::certificate::Certificate::parse(&host.der).unwrap())
    };
    for (record, expected) in [(of(&host), "pass"), (of(&other), "fail")] {
        let [certificate, fetched, hosts, dane] = looked_at(&record, &host, &authorities).await;
        assert_eq!(dane.0, expected, "{}", dane.1);
        for found in [certificate, fetched, hosts] {
            assert_eq!(found.0, "pass", "{}", found.1);
        }
    }
}

#[tokio::test]
async fn every_type_of_record_is_read() {
    let records = "@ NS b.example.\nalias CNAME there\n_25._tcp.mail TLSA 3 1 1 \
                   D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971\n\
                   old TYPE99 \\# 5 0468656C6F\n";
    let knot = Knot::start(&[Zone { name: "example", records: Some(records), signed: false }]);
    let resolver = resolver(knot.address());
    let ask = async |text: &str, kind| {
        let answer = resolver.answer(&Question { name: name(text), kind }).await;
        let Answer::Found(found) = answer else { panic!("{text}: {answer:?}") };
        found.records
    };
    assert_eq!(ask("example", Kind::Ns).await.len(), 2);
    assert_eq!(ask("alias.example", Kind::Cname).await, [Record::Cname(name("there.example"))]);
    let soa = ask("example", Kind::UncheckedSoa).await;
    assert!(matches!(soa.as_slice(), [Record::Soa { serial: 1, .. }]), "{soa:?}");
    let tlsa = ask("_25._tcp.mail.example", Kind::Tlsa).await;
    let [Record::Tlsa(tlsa)] = tlsa.as_slice() else { panic!("{tlsa:?}") };
    assert!(tlsa.to_string().starts_with("3 1 1 d2abde"), "{tlsa}");
    assert_eq!(ask("old.example", Kind::Spf).await.len(), 1);
}

#[tokio::test]
async fn what_was_heard_is_believed_for_a_while_and_who_wants_to_see_now_asks_again() {
    let records = "a 3600 TXT \"first\"\n";
    let knot = Knot::start(&[Zone { name: "example", records: Some(records), signed: false }]);
    let settings = ResolverSettings {
        server_timeout: Span::from_ms(300),
        rounds: 1,
        ..ResolverSettings::default()
    };
    let resolver = Resolver::new(&NameServers::given(vec![knot.address()]).unwrap(), settings);
    let question = |text: &str| Question { name: name(text), kind: Kind::Txt };
    // Whoever asks, and however: everybody hears it.
    let found = resolver.answer(&question("a.example")).await;
    let nothing = resolver.clone().answer_as(&question("b.example"), Freshness::Heard).await;
    assert!(matches!(&found, Answer::Found(found) if found.ttl == Span::from_h(1)), "{found:?}");
    assert_eq!(nothing, Answer::NoName);
    drop(knot);
    let heard = resolver.answer_as(&question("a.example"), Freshness::Heard).await;
    assert_eq!(heard.records(), found.records());
    // Five minutes are the most that it is believed for.
    assert!(matches!(&heard, Answer::Found(heard) if heard.ttl <= Span::from_min(5)), "{heard:?}");
    let still = resolver.answer_as(&question("b.example"), Freshness::Heard).await;
    assert_eq!(still, Answer::NoName);
    for now in ["a.example", "b.example"] {
        let answer = resolver.answer(&question(now)).await;
        assert!(matches!(answer, Answer::Failed(_)), "{now}: {answer:?}");
    }
    // That nobody answered is not kept, and takes nothing away.
    let heard = resolver.answer_as(&question("a.example"), Freshness::Heard).await;
    assert_eq!(heard.records(), found.records());
}
