//! A name server of a zone, asked itself: one datagram there, one back.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use postlane_checks::{Authority, Served};
use postlane_mail::Span;
use tokio::net::UdpSocket;
use tokio::time;

/// How long a server has to answer; after half of it, it is asked again. Chosen, not measured.
const PATIENCE: Duration = Duration::from_secs(5);

/// Octets of an answer; a SOA record has less than 600.
const OCTETS_MAX: usize = 1_500;

/// Asks a name server at an address for the zone's SOA record.
pub(crate) async fn ask_authority(authority: &Authority, address: SocketAddr) -> Served {
    let failed = |why: &dyn std::fmt::Display| Served::Failed(why.to_string().into());
    let Ok(zone) = Name::from_ascii(format!("{}.", authority.zone)) else {
        return failed(&"the zone's name cannot be asked for");
    };
    let mut question = Message::query();
    question.add_query(Query::query(zone.clone(), RecordType::SOA));
    question.metadata.recursion_desired = false;
    let octets = match question.to_vec() {
        Ok(octets) => octets,
        Err(error) => return failed(&error),
    };
    match time::timeout(PATIENCE, exchange(&octets, question.metadata.id, address)).await {
        Ok(Ok((answer, took))) => read(&answer, &zone, took),
        Ok(Err(error)) => failed(&error),
        Err(_) => failed(&"it did not answer in time"),
    }
}

async fn exchange(
    question: &[u8],
    id: u16,
    address: SocketAddr,
) -> std::io::Result<(Message, Span)> {
    let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(address).await?;
    let mut octets = vec![0; OCTETS_MAX];
    loop {
        socket.send(question).await?;
        let asked = Instant::now();
        while let Ok(received) = time::timeout(PATIENCE / 2, socket.recv(&mut octets)).await {
            let answer = octets.get(..received?).unwrap_or_default();
            // What is no answer to this question may be a forgery; the real one may follow.
            if let Ok(message) = Message::from_vec(answer)
                && message.metadata.id == id
            {
                let took = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
                return Ok((message, Span::from_ms(took)));
            }
        }
    }
}

fn read(answer: &Message, zone: &Name, took: Span) -> Served {
    let soa = answer.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) if record.name == *zone => Some(soa),
        _ => None,
    });
    match (answer.metadata.response_code, soa) {
        (ResponseCode::NoError, Some(soa)) if answer.metadata.authoritative => {
            Served::Serial { serial: soa.serial, took }
        }
        (ResponseCode::ServFail, _) => Served::Failed("it answered SERVFAIL".into()),
        _ => Served::Lame,
    }
}
