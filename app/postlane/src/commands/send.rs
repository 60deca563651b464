//! `postlane send`: hand a message to the running server.

use std::fs::File;
use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use clap::builder::PossibleValuesParser;
use postlane_api::wire::{Answer, MessageRequest, OneOrMany};

use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::print;
use crate::reach::Reach;

/// A message, whole (`--raw`) or in its parts.
#[derive(Args)]
pub(crate) struct Send {
    /// The author, `Name <local@domain>`; also the reverse-path, unless --mail-from is given
    #[arg(long, value_name = "ADDRESS", required_unless_present_any = ["raw", "mail_from"])]
    from: Option<String>,
    /// Whom it is for; may be repeated
    #[arg(long, value_name = "ADDRESS", required = true)]
    to: Vec<String>,
    /// The reverse-path: where failure reports go; the author, too, unless --from is given
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// The subject
    #[arg(long)]
    subject: Option<String>,
    /// The text; read from stdin when neither --text, --html nor --raw is given
    #[arg(long)]
    text: Option<String>,
    /// The text as HTML
    #[arg(long)]
    html: Option<String>,
    /// A whole message in a file, `-` for stdin; lines may end with LF or CRLF
    #[arg(long, value_name = "FILE", conflicts_with_all = ["subject", "text", "html"])]
    raw: Option<String>,
    /// What kind of mail it is [default: engaged]
    #[arg(long, value_parser = PossibleValuesParser::new(["transactional", "engaged", "cold"]))]
    stream: Option<String>,
    /// Which mailing it belongs to
    #[arg(long)]
    campaign: Option<String>,
    /// Whose it is
    #[arg(long)]
    tenant: Option<String>,
    /// The same key within a day is the same message: it is sent once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

pub(crate) fn run(reach: &Reach, send: Send) -> Result<Exit, Failure> {
    let client = Client::find(reach)?;
    let answer: Answer = client.post("/v1/messages", &request(send)?)?;
    if reach.json {
        print::json(&answer);
    } else {
        print::line(answer.id.as_deref().unwrap_or_default());
        for recipient in answer.recipients.iter().filter(|r| r.status != "queued") {
            let reason = recipient.reason.as_deref().unwrap_or_default();
            print::note(&format!("{}: {}: {reason}", recipient.address, recipient.status));
        }
    }
    let all_queued = answer.recipients.iter().all(|recipient| recipient.status == "queued");
    Ok(if all_queued { Exit::Yes } else { Exit::No })
}

fn request(send: Send) -> Result<MessageRequest, Failure> {
    let mut request = MessageRequest {
        mail_from: send.mail_from,
        stream: send.stream,
        campaign: send.campaign,
        tenant: send.tenant,
        idempotency_key: send.idempotency_key,
        ..MessageRequest::default()
    };
    if let Some(file) = send.raw {
        request.mail_from = request.mail_from.or(send.from);
        request.raw_base64 = Some(STANDARD.encode(crlf(&read(&file)?)));
        request.rcpt_to = send.to;
        return Ok(request);
    }
    let mut text = send.text;
    if text.is_none() && send.html.is_none() {
        text = Some(String::from_utf8(read("-")?).map_err(|_| {
            Failure::usage("the text on stdin is not UTF-8; send a whole message with --raw")
        })?);
    }
    request.from = send.from;
    request.to = OneOrMany::Many(send.to);
    request.subject = send.subject;
    request.text = text;
    request.html = send.html;
    Ok(request)
}

fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    let read = match file {
        "-" => io::stdin().lock().read_to_end(&mut octets),
        path => File::open(path).and_then(|mut file| file.read_to_end(&mut octets)),
    };
    read.map_err(|e| Failure::usage(format!("{file} cannot be read: {e}")))?;
    Ok(octets)
}

/// Files on this machine end lines with LF; mail ends them with CRLF.
fn crlf(text: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(text.len() + text.len() / 32);
    let mut last = 0;
    for octet in text {
        if *octet == b'\n' && last != b'\r' {
            message.push(b'\r');
        }
        message.push(*octet);
        last = *octet;
    }
    message
}
