//! Any octets as a line of a log: what is read of it is sane, and the rules can be asked about it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use postlane_replies::{Heard, ProviderId, Providers, RuleBook, Scratch, read_logged};

static PROVIDERS: LazyLock<Providers> = LazyLock::new(Providers::built_in);
static BOOK: LazyLock<RuleBook> = LazyLock::new(|| RuleBook::built_in(&PROVIDERS));

fuzz_target!(|octets: &[u8]| {
    let line = String::from_utf8_lossy(octets);
    let Some(logged) = read_logged(&line) else { return };
    assert!(logged.host.as_deref().is_none_or(|host| !host.is_empty() && !host.contains(' ')));
    assert!(logged.domain.as_deref().is_none_or(|domain| !domain.is_empty()));
    let named = logged.provider.as_deref().and_then(|name| PROVIDERS.resolve(name));
    let heard = Heard {
        reply: &logged.reply,
        stage: logged.stage,
        provider: named.as_ref().map(ProviderId::as_str),
        mx: logged.host.as_deref(),
    };
    let diagnosis = BOOK.diagnose(&mut Scratch::default(), heard);
    let before_mail = logged.stage.is_some_and(|stage| stage < postlane_mail::Stage::Mail);
    assert!(!(before_mail && diagnosis.label.is_of_recipient()), "{diagnosis:?}");
});
