//! A webhook hears everything in order, and its place moves when it has taken it.

use postlane_registry::{NewWebhook, Standing};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::feed::FeedError;
use super::*;
use crate::config::{Config, Overrides};
use crate::setup::Setup;

/// What happened, in memory.
struct Memory(Vec<(u64, &'static str)>);

impl Feed for Memory {
    fn after(&self, place: Place, wanted: &Wanted, most: usize) -> Result<Heard, FeedError> {
        let is_wanted =
            |kind: &str| wanted.events.is_empty() || wanted.events.iter().any(|w| w == kind);
        let behind = self.0.iter().filter(|(at, kind)| *at > place.0 && is_wanted(kind)).take(most);
        let event = |(at, kind): &(u64, &str)| {
            (Place(*at), format!("{{\"seq\":{at},\"kind\":\"{kind}\"}}").into_bytes().into())
        };
        let events: Vec<_> = behind.map(event).collect();
        let is_full = events.len() == most;
        let upto =
            events.last().filter(|_| is_full).map_or_else(|| self.newest(), |(place, _)| *place);
        Ok(Heard { events, upto })
    }

    fn newest(&self) -> Place {
        Place(self.0.last().map_or(0, |(at, _)| *at))
    }

    fn before(&self, at: Instant) -> Place {
        Place(at.0.saturating_sub(1))
    }

    fn kinds(&self) -> Vec<&'static str> {
        vec!["delivered", "bounced"]
    }
}

fn webhook() -> Webhook {
    Webhook {
        name: Label::parse("shop").unwrap(),
        url: "https://shop.example/".to_owned(),
        events: Vec::new(),
        tenant: Label::NONE,
        created: Instant(0),
        created_by: String::new(),
        place: "0".to_owned(),
        standing: Standing::default(),
    }
}

#[test]
fn a_message_has_what_fits_and_the_rest_comes_with_the_next() {
    let of = |octets: &[usize]| {
        let events = octets.iter().zip(1..);
        let events = events.map(|(octets, at)| (Place(at), vec![b'x'; *octets].into())).collect();
        bounded(Heard { events, upto: Place(99) })
    };
    assert_eq!(of(&[10, 10]).upto, Place(99));
    let cut = of(&[OCTETS_MAX - 5, 10, 10]);
    assert_eq!((cut.events.len(), cut.upto), (1, Place(1)));
    let alone = of(&[OCTETS_MAX + 5, 10]);
    assert_eq!((alone.events.len(), alone.upto), (1, Place(1)), "what is too large goes alone");
}

#[test]
fn a_message_is_json_with_its_events_in_order() {
    let heard = Memory(vec![(3, "delivered"), (7, "bounced")]);
    let wanted = Wanted { events: Vec::new(), tenant: Label::NONE };
    let heard = heard.after(Place(0), &wanted, 10).unwrap();
    let body = body(&webhook(), 3, Instant::from_unix_s(1_795_239_545), &heard);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["id"], &body["webhook"]), (&"shop-3".into(), &"shop".into()));
    assert_eq!(body["sent_at"], "2026-11-21T05:39:05.000Z");
    assert_eq!((&body["events"][0]["seq"], &body["events"][1]["seq"]), (&3.into(), &7.into()));
}

/// A deliverer that tells what is in memory, with its registry.
fn deliverer(
    dir: &tempfile::TempDir,
    feed: Memory,
    settings: &str,
) -> (Arc<Deliverer>, Registry, watch::Sender<bool>) {
    let file = dir.path().join("postlane.toml");
    std::fs::write(&file, format!("[webhooks]\nprivate_addresses = true\n{settings}")).unwrap();
    let config = Config::load(Some(&file), &Overrides::default()).unwrap();
    let setup = Setup::of(&config);
    let journal = Journal::start(&setup.log);
    let (clock, (_, live)) = (setup.clock, watch::channel(Arc::new(setup)));
    let registry = Registry::begin(&dir.path().join("registry.db")).unwrap();
    let stop = watch::Sender::new(false);
    let around = Around {
        clock,
        live: Live(live),
        registry: registry.clone(),
        journal,
        stop: stop.subscribe(),
    };
    (Deliverer::begin(around, Arc::new(feed)), registry, stop)
}

/// Takes one message, and answers it.
async fn take(listener: &TcpListener, answer: &str) -> String {
    answered(listener.accept().await.unwrap().0, answer).await
}

async fn answered(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> String {
    let mut seen = String::new();
    loop {
        let mut octets = [0; 4096];
        let many = stream.read(&mut octets).await.unwrap();
        seen.push_str(std::str::from_utf8(&octets[..many]).unwrap());
        if seen.ends_with("]}") || many == 0 {
            break;
        }
    }
    stream
        .write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes())
        .await
        .unwrap();
    seen
}

async fn until(registry: &Registry, wanted: impl Fn(&Webhook) -> bool) -> Webhook {
    let patience = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let known = registry.clone();
        let found = tokio::task::spawn_blocking(move || known.wait(|db| db.endpoints()));
        let webhook = found.await.unwrap().unwrap().remove(0).webhook;
        if wanted(&webhook) {
            return webhook;
        }
        assert!(tokio::time::Instant::now() < patience, "{webhook:?}");
        tokio::task::yield_now().await;
    }
}

fn make(registry: &Registry, url: String, events: &[&str]) {
    let new = NewWebhook {
        name: Label::parse("shop").unwrap(),
        url,
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        tenant: Label::NONE,
        by: "test".to_owned(),
    };
    registry.wait(move |db| db.add_webhook(&new, "0", Instant(1))).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn its_place_moves_when_it_has_taken_something_and_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let feed = Memory(vec![(1, "delivered"), (2, "bounced"), (3, "delivered"), (4, "bounced")]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (deliverer, registry, _stop) = deliverer(&dir, feed, "batch = 1");
    make(&registry, url, &["delivered"]);
    deliverer.nudge();
    let refused = take(&listener, "503 Not Now").await;
    assert!(
        refused.contains("\"seq\":1") && refused.contains("postlane-signature: t="),
        "{refused}"
    );
    let failing = until(&registry, |webhook| webhook.standing.tries == 1).await;
    assert_eq!(failing.place, "0");
    assert!(failing.standing.last_error.contains("503"), "{failing:?}");
    registry.wait(|db| db.resume_webhook(&Label::parse("shop").unwrap(), None)).unwrap();
    deliverer.nudge();
    // One at a time, in order; what is not wanted is passed over.
    assert!(take(&listener, "200 OK").await.contains("\"seq\":1"));
    assert!(take(&listener, "204 No Content").await.contains("\"seq\":3"));
    let told = until(&registry, |webhook| webhook.place == "4").await;
    assert!(told.standing.failing_since.is_none() && told.standing.told_at.is_some(), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_gone_for_good_is_paused_and_keeps_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (deliverer, registry, _stop) = deliverer(&dir, Memory(vec![(1, "delivered")]), "");
    make(&registry, url, &[]);
    deliverer.nudge();
    take(&listener, "410 Gone").await;
    let paused = until(&registry, |webhook| webhook.standing.paused.is_some()).await;
    assert_eq!(paused.place, "0");
    assert!(paused.standing.paused.unwrap().1.contains("410"));
}

/// A program on a loopback address whose certificate no authority of the system's has signed.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_own_authority_is_believed_where_that_is_named() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    for is_named in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("own.pem");
        std::fs::write(&root, made.cert.pem()).unwrap();
        let named = format!("\n[https]\nextra_roots = [{root:?}]");
        let settings = if is_named { &*named } else { "" };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let (deliverer, registry, _stop) =
            deliverer(&dir, Memory(vec![(1, "delivered")]), settings);
        make(&registry, url, &[]);
        deliverer.nudge();
        let accepted = acceptor.accept(listener.accept().await.unwrap().0).await;
        if let Ok(stream) = accepted {
            assert!(is_named && answered(stream, "200 OK").await.contains("\"seq\":1"));
            until(&registry, |webhook| webhook.place == "1").await;
        } else {
            let failing = until(&registry, |webhook| webhook.standing.tries == 1).await;
            assert!(!is_named && failing.place == "0", "{failing:?}");
            let why = &failing.standing.last_error;
            assert!(why.contains("certificate"), "{why}");
        }
    }
}
