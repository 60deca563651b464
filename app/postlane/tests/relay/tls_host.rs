//! Hosts with certificates of an authority that only the test believes: mail exchangers with
//! STARTTLS, and a web server with policies.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::relay::{Home, PATIENCE};

/// An authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, and the chain it is shown with.
#[derive(Clone)]
pub(crate) struct Shown {
    config: Arc<ServerConfig>,
    /// The certificate, in DER.
    pub(crate) der: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes its certificate into a file of this folder; gives the file's name.
    pub(crate) fn write(&self, home: &Home) -> String {
        home.write("root.pem", &self.0.pem())
    }

    /// Its certificate, in DER.
    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// A certificate for these names and its key, as PEM.
    pub(crate) fn pem(&self, names: &[&str]) -> (String, String) {
        let (params, key) = params(names, 2040);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem() + &self.0.pem(), key.serialize_pem())
    }

    /// A certificate for these names until a year, shown with the authority's.
    pub(crate) fn shown(&self, names: &[&str], until: i32) -> Shown {
        let (params, key) = params(names, until);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let chain = vec![certificate.der().clone(), self.0.der().clone()];
        Shown::new(chain, &key)
    }
}

/// A certificate that nobody else vouches for.
pub(crate) fn self_signed(names: &[&str]) -> Shown {
    let (params, key) = params(names, 2040);
    let certificate = params.self_signed(&key).unwrap();
    Shown::new(vec![certificate.der().clone()], &key)
}

fn params(names: &[&str], until: i32) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    (params, KeyPair::generate().unwrap())
}

impl Shown {
    fn new(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Self {
        let der = chain[0].to_vec();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .unwrap();
        Self { config: Arc::new(config), der }
    }

    fn encrypt(&self, stream: TcpStream) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
        let connection = ServerConnection::new(self.config.clone()).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, stream))
    }
}

/// A mail exchanger. Its thread ends with the tests.
pub(crate) struct Exchanger {
    heard: Arc<Mutex<Heard>>,
}

/// What an exchanger has heard.
#[derive(Default)]
struct Heard {
    /// Recipients under TLS.
    encrypted: Vec<String>,
    /// Recipients in the clear.
    plain: Vec<String>,
    sessions: u32,
}

impl Exchanger {
    /// One at this address; without a certificate it does not offer STARTTLS.
    pub(crate) fn start(address: SocketAddr, shown: Option<Shown>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let books = heard.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (books, shown) = (books.clone(), shown.clone());
                books.lock().unwrap().sessions += 1;
                // Who does not believe the certificate hangs up.
                thread::spawn(move || stream.and_then(|s| session(s, shown, &books)).ok());
            }
        });
        Self { heard }
    }

    /// Whose mail came under TLS.
    pub(crate) fn encrypted(&self) -> Vec<String> {
        self.heard.lock().unwrap().encrypted.clone()
    }

    /// Whose mail came in the clear, or began to.
    pub(crate) fn plain(&self) -> Vec<String> {
        self.heard.lock().unwrap().plain.clone()
    }

    /// How often it was called.
    pub(crate) fn sessions(&self) -> u32 {
        self.heard.lock().unwrap().sessions
    }
}

fn session(stream: TcpStream, shown: Option<Shown>, heard: &Mutex<Heard>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut plain = BufReader::new(stream);
    plain.get_mut().write_all(b"220 mx.example\r\n")?;
    let note = |to: &str| heard.lock().unwrap().plain.push(to.to_owned());
    if !dialogue(&mut plain, shown.is_some(), note)? {
        return Ok(());
    }
    let Some(shown) = shown else { return Ok(()) };
    let mut encrypted = BufReader::new(shown.encrypt(plain.into_inner())?);
    let note = |to: &str| heard.lock().unwrap().encrypted.push(to.to_owned());
    dialogue(&mut encrypted, false, note).map(|_| ())
}

/// Takes mail until the end; true if TLS is to begin.
fn dialogue<S: Read + Write>(
    stream: &mut BufReader<S>,
    offers_tls: bool,
    mut note: impl FnMut(&str),
) -> io::Result<bool> {
    let (mut line, mut in_data) = (String::new(), false);
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        if in_data && line != ".\r\n" {
            continue;
        }
        let word = line.split([' ', '\r']).next().unwrap_or_default().to_owned();
        let reply = match word.as_str() {
            "." => "250 2.0.0 taken",
            "EHLO" if offers_tls => "250-mx.example\r\n250 STARTTLS",
            "EHLO" => "250-mx.example\r\n250 8BITMIME",
            "STARTTLS" => "220 2.0.0 go on",
            "DATA" => "354 go on",
            "RCPT" => {
                note(line.split(['<', '>']).nth(1).unwrap_or_default());
                "250 2.1.5 ok"
            }
            "QUIT" => "221 2.0.0 bye",
            _ => "250 2.0.0 ok",
        };
        in_data = word == "DATA";
        let out = stream.get_mut();
        out.write_all(format!("{reply}\r\n").as_bytes())?;
        out.flush()?;
        if word == "STARTTLS" {
            return Ok(true);
        }
    }
}

/// A web server that has a page for each host's name. Its thread ends with the tests.
pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    served: Arc<Mutex<Served>>,
}

/// What a web server has, and what it was asked for.
#[derive(Default)]
struct Served {
    pages: BTreeMap<String, Page>,
    /// As `GET https://host/path`, with what was posted.
    asked: Vec<String>,
}

/// What a web server has for a host.
#[derive(Clone)]
pub(crate) enum Page {
    /// This policy.
    Policy(String),
    /// A redirection to somewhere else.
    Redirection,
    /// This text, with a status.
    Text(&'static str, &'static str),
    /// The beginning of something, and then nothing.
    Stall,
}

impl Web {
    pub(crate) fn start(shown: Shown) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let books = Arc::new(Mutex::new(Served::default()));
        let served = books.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (served, shown) = (served.clone(), shown.clone());
                // Who does not believe the certificate hangs up.
                thread::spawn(move || stream.and_then(|s| serve(s, &shown, &served)).ok());
            }
        });
        Self { address, served: books }
    }

    /// What it has for a host from now on; for `POST host`, where somebody posts there.
    pub(crate) fn put(&self, host: &str, page: Page) {
        self.served.lock().unwrap().pages.insert(host.to_owned(), page);
    }

    /// What it was asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.served.lock().unwrap().asked.clone()
    }
}

fn serve(stream: TcpStream, shown: &Shown, served: &Mutex<Served>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut stream = BufReader::new(shown.encrypt(stream)?);
    let (mut request, mut line) = (String::new(), String::new());
    stream.read_line(&mut request)?;
    let (mut host, mut octets) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let lower = line.to_ascii_lowercase();
        if let Some(name) = lower.strip_prefix("host: ") {
            name.trim().clone_into(&mut host);
        }
        if let Some(length) = lower.strip_prefix("content-length: ") {
            octets = length.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut posted = vec![0; octets];
    stream.read_exact(&mut posted)?;
    let mut words = request.split(' ');
    let (verb, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let posted = String::from_utf8_lossy(&posted);
    let page = {
        let mut served = served.lock().unwrap();
        served.asked.push(format!("{verb} https://{host}{path} {posted}").trim_end().to_owned());
        let of_verb = served.pages.get(&format!("{verb} {host}"));
        of_verb.or_else(|| served.pages.get(&host)).cloned()
    };
    let plain = |status: &str, text: &str| {
        let octets = text.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {octets}\r\n\r\n{text}"
        )
    };
    let answer = match &page {
        Some(Page::Policy(text)) => plain("200 OK", text),
        Some(Page::Text(status, text)) => plain(status, text),
        Some(Page::Redirection) => {
            "HTTP/1.1 302 Found\r\nLocation: https://other.example/\r\nContent-Length: 0\r\n\r\n"
                .to_owned()
        }
        Some(Page::Stall) => "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n".to_owned(),
        None => plain("404 Not Found", ""),
    };
    stream.get_mut().write_all(answer.as_bytes())?;
    stream.get_mut().flush()?;
    if matches!(page, Some(Page::Stall)) {
        // Until the other side has had enough.
        let _ = stream.read_line(&mut line);
    }
    Ok(())
}
