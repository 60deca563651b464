//! The words that mean something to a hint, by meaning: lower case, without accents.
//!
//! Languages as servers speak them: English, German, French, Italian, Spanish, Portuguese,
//! Polish, Czech, Dutch, Russian; Chinese and Japanese by the character. A word that means
//! two things in two languages stands where it does less harm.

use super::Unit;
use super::word::Word;
use crate::words::Eights;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// All of them, by meaning.
pub(super) const MEANINGS: &[(Word, &str)] = &[
    (
        Word::Time(1),
        "s sec secs second seconds sekunde sekunden sek seconde secondes secondi secondo \
         segundo segundos sekund sekundy seg секунд секунды секунду сек 秒",
    ),
    (
        Word::Time(MINUTE),
        "m min mins minute minutes minuten minuti minuto minutos minut minuty минут минуты \
         минуту мин 分",
    ),
    (
        Word::Time(HOUR),
        "h hr hrs hour hours std stunde stunden heure heures ora ore hora horas godzine \
         godzina godziny godzin hodin hodinu hodiny uur час часа часов ч 时 時",
    ),
    (
        Word::Time(DAY),
        "d day days tag tage tagen jour jours giorno giorni dia dias dzien dni dnia den \
         dagen день дня дней сутки суток 天 日",
    ),
    (Word::Time(7 * DAY), "week weeks woche wochen semaine settimana semana неделю 周"),
    (Word::Time(30 * DAY), "month monat mois mese mes miesiac месяц"),
    (Word::Often(HOUR), "hourly stundlich stundliche stundliches horaire orario godzinowy"),
    (
        Word::Often(DAY),
        "daily taglich tagliche tagliches tageslimit quotidien quotidienne journalier \
         journaliere giornaliero giornaliera diario diaria dzienny today heute суточный \
         дневной",
    ),
    (Word::Often(MINUTE), "minutely"),
    (Word::Spelled(1), "one eine einer einem ein una uma один одну"),
    (Word::Spelled(2), "two zwei deux due dos dois duas dwie две"),
    (Word::Spelled(3), "three drei trois tre tres trzy три"),
    (Word::Spelled(4), "four vier quatre quattro cuatro quatro"),
    (Word::Spelled(5), "five funf cinq cinque cinco piec пять"),
    (Word::Spelled(6), "six sechs sei seis"),
    (Word::Spelled(8), "eight acht huit otto ocho oito"),
    (Word::Spelled(10), "ten zehn dix dieci diez dez dziesiec десять"),
    (Word::Spelled(12), "twelve zwolf douze dodici doce doze"),
    (Word::Spelled(15), "fifteen funfzehn quinze quindici quince pietnascie"),
    (Word::Spelled(20), "twenty zwanzig vingt venti veinte vinte"),
    (Word::Spelled(24), "twentyfour vierundzwanzig"),
    (Word::Spelled(30), "thirty dreisig dreissig trente trenta treinta trinta"),
    (Word::Spelled(60), "sixty sechzig soixante sessanta sesenta sessenta"),
    (Word::Spelled(100), "hundred hundert"),
    (Word::Article, "a an un une um"),
    (Word::Half, "half halbe halben demi mezz media"),
    (
        Word::Few,
        "few some several couple wenigen wenige einige einigen paar mehrere mehreren \
         quelques plusieurs alcuni alcune qualche pochi poche unos unas algunos algunas \
         pocos pocas alguns algumas poucos poucas kilka kilku nekolik enkele paru несколько \
         几 幾 数 數",
    ),
    (Word::Per, "per pro par por every each alle je 每 毎 cada ogni chaque przez в"),
    (Word::In, "in dans en em za через fra tra 再"),
    (
        Word::Within,
        "within over during last past this innerhalb binnen letzten derniere dernieres \
         ultima ultime ultimas ultimos ultimi ostatnich ciagu течение последние 内 內",
    ),
    (Word::After, "after nach apres dopo despues apos po после 后 後"),
    (Word::For, "for fur pendant durante lang na на another"),
    (
        Word::About,
        "about approximately approx around roughly ca circa etwa ungefahr environ cerca \
         okolo up",
    ),
    (
        Word::Later,
        "later spater spateren spaterem tard ulterieurement tardi tarde pozniej pozdeji \
         позже позднее 稍",
    ),
    (
        Word::Retry,
        "retry retries retrying retried try trying again wait resend reattempt reconnect \
         resubmit back come return greylist greylisted greylisting graylist graylisted \
         graylisting grey gray deferred postponed backoff pause versuchen versuche versuch \
         erneut nochmal nochmals wiederholen warten reessayer reessayez renouveler \
         renouvelez reiterer attendez attendre essayer essayez riprova riprovare riprovate \
         riprovi attendere reintente reintentar intente intentelo vuelva espere esperar \
         tente tentar novamente aguarde sprobuj sprobowac ponownie ponow poczekaj zkuste \
         znovu probeer opnieuw повторите попробуйте повторить снова подождите попытайтесь 试 \
         試 重",
    ),
    (
        Word::Block,
        "block blocked blocking ban banned blacklisted blocklisted suspended suspension \
         throttled throttling penalty unblocked delisted removed expire expires gesperrt \
         sperre blockiert bloque bloquee bloccato bloqueado bloqueada zablokowany \
         заблокирован 封禁 禁",
    ),
    (
        Word::Many,
        "many much exceed exceeds exceeded exceeding rate frequent frequently frequency \
         volume fast viele uberschritten trop depasse depassee troppi troppe superato \
         superata demasiados demasiadas superado excedido excedida muitas muitos zbyt wiele \
         przekroczono przekroczony много превышен превышено превысили 超 频 頻 多",
    ),
    (
        Word::Cap,
        "limit limits limited limite limiet max maximum maximal maximale massimo maximo \
         quota allowed allows allow erlaubt hochstens limitu лимит ограничение 限",
    ),
    (
        Word::Bound,
        "than only most more least als mehr nur plus mindestens piu mas mais wiecej более",
    ),
    (
        Word::Thing(Unit::Messages),
        "message messages msg msgs mail mails email emails nachricht nachrichten courriel \
         courriels messaggi messaggio mensaje mensajes correos mensagem mensagens wiadomosc \
         wiadomosci transactions deliveries berichten письма писем сообщений сообщения 封 邮 \
         郵 通",
    ),
    (
        Word::Thing(Unit::Recipients),
        "recipient recipients rcpt rcpts empfanger empfangern destinataire destinataires \
         destinatari destinatario destinatarios odbiorcow получателей получателя",
    ),
    (
        Word::Thing(Unit::Connections),
        "connection connections connects conn conns session sessions verbindung \
         verbindungen connexion connexions connessione connessioni conexion conexiones \
         conexao conexoes polaczen polaczenia verbindingen соединений соединения 连 連",
    ),
    (Word::Octets(1), "byte bytes octet octets"),
    (Word::Octets(1_000), "kb kib kbyte kbytes"),
    (Word::Octets(1_000_000), "mb mib mbyte mbytes mo"),
    (Word::Octets(1_000_000_000), "gb gib go"),
    (
        Word::Noun,
        "size large big storage disk mailbox hop hops error errors failures attempts \
         command commands lines length characters attachment attachments groesse grose \
         taille dimensione tamano tamanho users invalid unknown fehler erreurs headers \
         score domains addresses lookups bad nonexistent",
    ),
    (
        Word::Adjective,
        "simultaneous concurrent parallel outgoing incoming inbound outbound new total \
         unique different open gleichzeitige gleichzeitigen simultanees simultane \
         simultaneas smtp spam next nachsten rolling any single",
    ),
    (
        Word::Filler,
        "of is are was to the set at von der des de du la le les di del bis reached hit \
         currently l all",
    ),
    (Word::And, "and und et e y i и"),
    (Word::Period, "period window interval zeitraum periode periodo"),
    (
        Word::Idle,
        "timeout timed idle inactive inactivity expired queue queued undelivered waited \
         waiting tried lifetime unable retention password login",
    ),
    (Word::Will, "will we keep continue ll"),
    (Word::Ago, "ago old elapsed"),
    (
        Word::Naming,
        "rfc port code version id line as status ref server ticket case level uceprotect \
         exim postfix sbl 年 月",
    ),
];

/// A power of two well above the number of words, so that few of them share a place.
const PLACES: usize = 2048;

/// A word of ours, and what it means; no octets: nobody's place.
#[derive(Clone, Copy)]
struct Known {
    eights: Eights,
    word: Word,
    /// To be looked at only of a word that has more than its first and its last eight octets.
    spelling: &'static [u8],
}

/// Every word at the place its letters give, or the next free one.
static TABLE: [Known; PLACES] = placed();

const fn placed() -> [Known; PLACES] {
    let nobody = Known { eights: Eights::of(b""), word: Word::Other, spelling: b"" };
    let mut table = [nobody; PLACES];
    let mut meaning = 0;
    while meaning < MEANINGS.len() {
        let (word, spellings) = MEANINGS[meaning];
        let mut rest = spellings.as_bytes();
        while !rest.is_empty() {
            let (spelling, behind) = first_word(rest);
            let eights = Eights::of(spelling);
            let mut at = eights.hash() % PLACES;
            while !table[at].spelling.is_empty() {
                at = (at + 1) % PLACES;
            }
            table[at] = Known { eights, word, spelling };
            rest = behind;
        }
        meaning += 1;
    }
    table
}

/// What stands before the first blank, and what behind it.
const fn first_word(words: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    while end < words.len() && words[end] != b' ' {
        end += 1;
    }
    let (word, rest) = words.split_at(end);
    match rest {
        [_, behind @ ..] => (word, behind),
        [] => (word, rest),
    }
}

/// For each first octet, the lengths in octets of the words that begin with it, as bits: most
/// words of a reply are told from ours by these alone.
static LENGTHS: [u32; 256] = lengths();

const fn lengths() -> [u32; 256] {
    let mut lengths = [0; 256];
    let mut at = 0;
    while at < PLACES {
        let letters = TABLE[at].spelling;
        if !letters.is_empty() {
            assert!(letters.len() < 32);
            lengths[letters[0] as usize] |= 1 << letters.len();
        }
        at += 1;
    }
    lengths
}

/// Whether a word, in capitals or not, can be one of ours by its first octet and its length.
#[inline]
fn may_mean(first: u8, length: usize) -> bool {
    length < 32 && LENGTHS[usize::from(first.to_ascii_lowercase())] & (1 << length) != 0
}

/// What a word of ASCII letters means, in capitals or not; [`Word::Other`] if nothing.
#[inline]
pub(super) fn meaning_of(letters: &[u8]) -> Word {
    match letters.first() {
        Some(first) if may_mean(*first, letters.len()) => {
            found(Eights::of(letters).lower(), letters)
        }
        _ => Word::Other,
    }
}

/// What a folded word means; [`Word::Other`] if nothing.
pub(super) fn meaning(folded: &[u8]) -> Word {
    match folded.first() {
        Some(first) if may_mean(*first, folded.len()) => found(Eights::of(folded), folded),
        _ => Word::Other,
    }
}

/// What a word means with these first and last octets, in lower case, which is so spelled.
fn found(eights: Eights, spelled: &[u8]) -> Word {
    let is = |known: &Known| {
        known.eights == eights
            && (spelled.len() <= 16 || known.spelling.eq_ignore_ascii_case(spelled))
    };
    let mut at = eights.hash() % PLACES;
    loop {
        let known = &TABLE[at];
        if known.eights.length == 0 || is(known) {
            return known.word;
        }
        at = (at + 1) % PLACES;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::hint::word::folded;

    #[test]
    fn every_word_is_folded_found_and_means_one_thing() {
        let mut seen = BTreeSet::new();
        for (word, spellings) in MEANINGS {
            for spelling in spellings.split(' ') {
                assert!(seen.insert(spelling), "{spelling} stands twice");
                assert_eq!(meaning(spelling.as_bytes()), *word, "{spelling}");
                let (letters, length) = folded(spelling);
                assert_eq!(&letters[..length], spelling.as_bytes(), "{spelling} is not folded");
            }
        }
        assert!(seen.len() * 2 < PLACES);
        assert_eq!(meaning(b"nemesis"), Word::Other);
        assert_eq!(meaning(b""), Word::Other);
    }
}
