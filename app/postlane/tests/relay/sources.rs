//! Two addresses to send from, and a host that looks at them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::relay::{Home, Relay};

const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
const TWO: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A host that counts what it takes from whom, and refuses one of them. Its threads end with the
/// tests.
struct Host {
    address: SocketAddr,
    taken: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Host {
    fn start(refuses: Option<IpAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::<Mutex<BTreeMap<IpAddr, usize>>>::default();
        let counts = taken.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counts = counts.clone();
                // Whoever hangs up is done.
                thread::spawn(move || session(stream, refuses, &counts).unwrap_or_default());
            }
        });
        Self { address, taken }
    }

    fn taken_from(&self, source: IpAddr) -> usize {
        self.taken.lock().unwrap().get(&source).copied().unwrap_or_default()
    }
}

fn session(
    mut stream: TcpStream,
    refuses: Option<IpAddr>,
    taken: &Mutex<BTreeMap<IpAddr, usize>>,
) -> std::io::Result<()> {
    let from = stream.peer_addr()?.ip();
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 host.example\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let reply: &[u8] = match verb.as_str() {
            "MAIL" if refuses == Some(from) => {
                stream.write_all(b"421 4.7.0 Too many messages, reduce the sending rate\r\n")?;
                return Ok(());
            }
            "DATA" => {
                stream.write_all(b"354 go ahead\r\n")?;
                while lines.next().transpose()?.is_some_and(|line| line != ".") {}
                *taken.lock().unwrap().entry(from).or_default() += 1;
                b"250 2.0.0 taken\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => b"250 fine\r\n",
        };
        stream.write_all(reply)?;
    }
    Ok(())
}

/// A relay with both addresses in one pool; its time runs faster.
fn relay(host: &Host, learning: &str) -> Relay {
    let text = format!(
        "[lane]\nlearning = \"{learning}\"\n\
         [[source]]\nname = \"one\"\naddress = \"{ONE}\"\nehlo = \"one.example\"\n\
         [[source]]\nname = \"two\"\naddress = \"{TWO}\"\nehlo = \"two.example\"\n\
         [[route]]\npattern = \"*\"\nlane = \"provider\"\nto = \"{}\"\n",
        host.address
    );
    let home = Home::new();
    let file = home.write("postlane.toml", &text);
    home.start(&["--config", &file, "--clock-speed", "60"])
}

fn deliver(relay: &Relay, many: usize) {
    let mut client = relay.dial();
    assert!(client.say("EHLO app.example").starts_with("250"));
    for n in 0..many {
        let to = format!("jo{n}@example.net");
        let id = client.hand_over("app@example.com", &[&to], "Subject: hi\r\n\r\nhi");
        relay.logged(&[&format!(" event=delivered id={id} ")]);
    }
}

fn lane(relay: &Relay, source: &str) -> Value {
    let lanes = relay.ask_json(&["lanes", "show", "example.net"]);
    lanes.into_iter().find(|lane| lane["source"] == source).unwrap()
}

#[test]
fn an_excluded_source_carries_nothing_until_it_is_included() {
    let host = Host::start(None);
    let relay = relay(&host, "off");
    let command = |verb| {
        let arguments = ["lanes", verb, "example.net", "two", "--why", "listed"];
        assert!(relay.ask(&arguments).status.success(), "{verb}");
    };
    command("exclude");
    deliver(&relay, 8);
    assert_eq!((host.taken_from(ONE), host.taken_from(TWO)), (8, 0));
    command("include");
    deliver(&relay, 8);
    assert!(host.taken_from(TWO) > 0, "it carries its share again");
}

#[test]
fn a_source_that_is_refused_rests_by_itself_and_its_mail_goes_by_the_other() {
    let host = Host::start(Some(TWO));
    let relay = relay(&host, "on");
    deliver(&relay, 8);
    assert_eq!((host.taken_from(ONE), host.taken_from(TWO)), (8, 0));
    let (one, two) = (lane(&relay, "one"), lane(&relay, "two"));
    assert_eq!(two["state"], "resting", "{two:#}");
    assert_eq!(one["state"], "healthy", "{one:#}");
    assert_eq!((&one["accepted"], &one["refused"]), (&8.into(), &0.into()));
    assert!(two["refused"].as_u64().unwrap() <= 3, "a canary or two: {two:#}");
    assert_eq!(one["hosts"][0]["share"], 1.0, "{one:#}");
}
