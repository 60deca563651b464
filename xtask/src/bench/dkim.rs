//! `cargo xtask bench dkim`: what it costs to sign a message, beside the signature alone.
//!
//! Both are made by the same key in turns, in one run on one core, so the ratio holds on any
//! machine. The whole is what a relay does: the hash of the body, the header's form, the field.

use anyhow::Context as _;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postlane_checks::Name;
use postlane_checks::dkim::{BodyHash, Plan, Signer};
use postlane_mail::Instant;

use super::replies::on_cpu;
use crate::ended::Ended;

/// How signing is measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Messages to be signed by each key.
    #[arg(long, default_value_t = 2_000)]
    messages: u32,
    /// Octets of each.
    #[arg(long, default_value_t = 4096)]
    size: usize,
}

/// Messages signed before the other way has its turn.
const TURN: u32 = 50;

const HEADER: &str = "Received: from app.example (app.example [192.0.2.1])\r\n by relay.example \
    (Postlane) with ESMTP id 0cr6g9vb0t8g0\r\n for <jo@example.net>; Sat, 21 Nov 2026 07:30:00 +0000\r\n\
    From: Shop <shop@example.com>\r\nTo: Jo <jo@example.net>\r\nSubject: Your order has been sent\r\n\
    Date: Sat, 21 Nov 2026 07:30:00 +0000\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\r\n";

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let line = "Lines of text as people write it, some seventy octets to each, and on.\r\n";
    let body: String =
        line.chars().cycle().take(arguments.size.saturating_sub(HEADER.len())).collect();
    let mut out = std::io::stdout().lock();
    let rsa = KeyPair::generate(KeySize::Rsa2048).ok().context("no RSA key was made")?;
    let der = rsa.as_der().ok().context("the RSA key cannot be written")?;
    let signer = signer(der.as_ref())?;
    let mut octets = vec![0; rsa.public_modulus_len()];
    let (alone, whole) = in_turns(arguments.messages, &signer, &body, || {
        rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), HEADER.as_bytes(), &mut octets).is_ok()
    })?;
    tell(&mut out, "RSA-2048", alone, whole)?;
    let ed25519 = Ed25519KeyPair::generate().ok().context("no Ed25519 key was made")?;
    let der: Pkcs8V1Der<'_> = ed25519.as_der().ok().context("the key cannot be written")?;
    let signer = self::signer(der.as_ref())?;
    let (alone, whole) = in_turns(arguments.messages, &signer, &body, || {
        !ed25519.sign(HEADER.as_bytes()).as_ref().is_empty()
    })?;
    tell(&mut out, "Ed25519", alone, whole)?;
    Ok(Ended::Well)
}

fn signer(der: &[u8]) -> anyhow::Result<Signer> {
    let text = STANDARD.encode(der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    Ok(Signer::new(Name::parse("example.com")?, Name::parse("s1")?, &pem)?)
}

/// Microseconds of CPU for a signature alone, and for signing a message.
fn in_turns(
    messages: u32,
    signer: &Signer,
    body: &str,
    mut alone: impl FnMut() -> bool,
) -> anyhow::Result<(f64, f64)> {
    let plan = Plan { seconds: Some(604_800), ..Plan::default() };
    let (mut of_alone, mut of_whole, mut done) = (0.0, 0.0, 0);
    while done < messages {
        let begun = on_cpu()?;
        for _ in 0..TURN {
            anyhow::ensure!(alone(), "a signature could not be made");
        }
        let between = on_cpu()?;
        for _ in 0..TURN {
            let mut hash = BodyHash::default();
            hash.feed(body.as_bytes());
            let now = Instant::from_unix_s(1_795_000_000);
            std::hint::black_box(signer.sign(HEADER.as_bytes(), &hash.finish(), &plan, now)?);
        }
        of_alone += between - begun;
        of_whole += on_cpu()? - between;
        done += TURN;
    }
    let each = 1e6 / f64::from(done.max(1));
    Ok((of_alone * each, of_whole * each))
}

fn tell(out: &mut impl std::io::Write, key: &str, alone: f64, whole: f64) -> anyhow::Result<()> {
    writeln!(
        out,
        "{key:<10} the signature alone {alone:7.1} µs, the message signed {whole:7.1} µs: {:.3} times",
        whole / alone
    )?;
    Ok(())
}
