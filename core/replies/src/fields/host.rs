//! Who speaks: the host, the machine behind its name, and its name for the transaction.

use super::listed::lists;
use super::piece::{Piece, is_host_name, is_of_host, pieces, without_code};

/// Who speaks, as far as the reply says.
#[derive(Default)]
pub(super) struct MxHost<'t> {
    pub(super) name: Option<&'t str>,
    pub(super) tag: Option<&'t str>,
    pub(super) queue_id: Option<&'t str>,
}

/// Names of receiving hosts that are said in the middle of a reply, by their ends.
const KNOWN_ENDS: [&str; 9] = [
    ".yahoo.com",
    ".yahoo.co.jp",
    ".prod.protection.outlook.com",
    ".prod.outlook.com",
    ".sys.comcast.net",
    ".mail.protection.outlook.com",
    ".rx.t-online.de",
    ".aol.com",
    ".apple.com",
];

impl<'t> MxHost<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut pieces = pieces(without_code(text), is_of_host).peekable();
        let mut host = Self::default();
        let mut ended = None;
        while let Some(piece) = pieces.next() {
            let name = piece.text.trim_end_matches('.');
            // `example.net does not exist` is about a domain, `gmx.net (mxgmx104)` is a host.
            let is_shared = pieces.peek().is_some_and(|next| is_fenced_tag(*next));
            let is_first = piece.at == 0
                && !matches!(piece.after, '@' | ':' | '/')
                && (is_shared || name.split('.').count() > 2)
                && lists(name).is_empty();
            let is_address = piece.before == '@' || piece.after == '@' || piece.before == '/';
            let is_known = KNOWN_ENDS.iter().any(|end| ends_with_ignoring_case(name, end));
            if !is_address && (is_first || is_known) && is_host_name(name) {
                host.name = host.name.or(Some(name));
            }
            let is_orange = piece.at == 0 && piece.text.starts_with("mwinf");
            if is_fenced_tag(piece) || (is_orange && !name.contains('.')) {
                host.tag = host.tag.or(Some(piece.text));
            }
            // `… x12-20020a05abc.123 - gsmtp`
            if matches!(piece.text, "gsmtp" | "nsmtp") {
                host.queue_id = ended.take();
            } else if piece.text != "-" {
                ended = (piece.text.len() >= 8).then_some(piece.text);
            }
        }
        host
    }
}

/// `(mxweb113)`, `(mx009)`, `(mxgmx104)` (United Internet).
fn is_fenced_tag(piece: Piece<'_>) -> bool {
    let Some(rest) = piece.text.strip_prefix("mx").filter(|_| piece.is_fenced()) else {
        return false;
    };
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_lowercase());
    (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    let text = text.as_bytes();
    let start = text.len().checked_sub(end.len());
    start
        .and_then(|start| text.get(start..))
        .is_some_and(|behind| behind.eq_ignore_ascii_case(end.as_bytes()))
}
