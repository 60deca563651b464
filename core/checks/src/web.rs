//! What lies on web servers, as far as checks ask for it. Whoever fetches follows no redirection:
//! where it leads is not what the domain has promised. Checks that do follow ask for the next page
//! themselves ([`follow`]).

use crate::dns::{Known, Name};

/// A page that is asked for over HTTPS, at port 443.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Page {
    /// The server.
    pub host: Name,
    /// The path with its query, beginning with `/`.
    pub path: Box<str>,
    /// Octets that are read, at most.
    pub octets_max: usize,
    /// What is asked of the server.
    pub verb: Verb,
}

/// What is asked of a web server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// The page (GET).
    Get,
    /// To take the recipient off the list: POST of `List-Unsubscribe=One-Click` (RFC 8058 §3.2).
    OneClick,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The server's answer, redirections too; its certificate was good.
    Page {
        /// 100 to 999.
        status: u16,
        /// As it is sent, without parameters, in lower case; empty where none is sent.
        media_type: Box<str>,
        /// Where a redirection leads, as it is sent; empty where none is.
        location: Box<str>,
        /// The octets; of redirections and refusals none are read.
        body: Box<[u8]>,
    },
    /// There is none.
    Failed(FetchFailure),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchFailure {
    /// The host has no address.
    #[error("the host has no address")]
    NoAddress,
    /// Its address could not be found out.
    #[error("the host's address could not be found out")]
    Undetermined,
    /// The host's addresses are of a private network, where nobody is called.
    #[error("the host's address is of a private network")]
    Private,
    /// No connection.
    #[error("no connection: {0}")]
    Connect(Box<str>),
    /// The certificate is not for this host, has expired, or nobody vouches for it.
    #[error("the certificate is not good: {0}")]
    Certificate(Box<str>),
    /// It takes too long.
    #[error("it takes too long")]
    TimedOut,
    /// It is larger than it may be.
    #[error("it is larger than it may be")]
    TooLarge,
    /// The answer is no HTTP.
    #[error("the answer makes no sense: {0}")]
    Malformed(Box<str>),
    /// Nobody may be asked.
    #[error("the recorded answers do not have it")]
    NotRecorded,
}

impl Page {
    /// The page of an `https://` URL, without its fragment; none for other ports and schemes.
    pub fn of_url(url: &str, octets_max: usize) -> Option<Self> {
        let scheme = url.get(..8)?;
        if !scheme.eq_ignore_ascii_case("https://") || url.len() > 2000 {
            return None;
        }
        let rest = url.get(8..)?.split('#').next()?;
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = Name::parse(host.strip_suffix(":443").unwrap_or(host)).ok()?;
        let is_host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
        if !host.as_str().bytes().all(is_host) || !path.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Self { host, path: path.into(), octets_max, verb: Verb::Get })
    }
}

/// Asks for a page, and for those that redirections lead to over HTTPS, as many as may be; the
/// last answer with its page. None if answers are missing.
pub(crate) fn follow(known: &mut Known, page: Page, hops_max: usize) -> Option<(Page, Fetched)> {
    let mut at = page;
    for _ in 0..hops_max {
        let fetched = known.fetch(&at)?.clone();
        let next = match &fetched {
            Fetched::Page { status: 300..400, location, .. } => at.leads_to(location),
            _ => None,
        };
        let Some(next) = next else { return Some((at, fetched)) };
        at = next;
    }
    let fetched = known.fetch(&at)?.clone();
    Some((at, fetched))
}

impl Page {
    /// Where a redirection of this page leads, if it is another page that can be asked for.
    fn leads_to(&self, location: &str) -> Option<Self> {
        let is_path = location.starts_with('/') && !location.starts_with("//");
        let url = match is_path {
            true => format!("https://{}{location}", self.host),
            false => location.to_owned(),
        };
        Self::of_url(&url, self.octets_max).filter(|next| next != self)
    }
}

impl std::fmt::Display for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}{}", self.host, self.path)
    }
}

impl FetchFailure {
    /// Whether it says nothing about the page: next time it may be otherwise.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Undetermined | Self::NotRecorded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_are_followed_over_https_and_not_for_ever() {
        let start = Page::of_url("https://a.example/", 9).unwrap();
        let walk = |to: fn(&Page) -> String| {
            let mut known = Known::new();
            loop {
                if let Some((page, _)) = follow(&mut known, start.clone(), 5) {
                    return (page.to_string(), known.pages().count());
                }
                for page in known.take_missing_pages() {
                    let location = to(&page).into();
                    let (media_type, body) = (Box::default(), Box::default());
                    let fetched = Fetched::Page { status: 302, media_type, location, body };
                    known.learn_page(page, fetched);
                }
            }
        };
        assert_eq!(walk(|page| format!("{}x", page.path)), ("https://a.example/xxxxx".into(), 6));
        assert_eq!(walk(|_| "/b".into()), ("https://a.example/b".into(), 2));
        for shut in ["http://b.example/", "//b.example/", "", "https://b.example:1/"] {
            let mut known = Known::new();
            assert!(follow(&mut known, start.clone(), 5).is_none());
            let (media_type, body) = (Box::default(), Box::default());
            let location = shut.into();
            let moved = Fetched::Page { status: 301, media_type, location, body };
            known.learn_page(start.clone(), moved);
            assert_eq!(follow(&mut known, start.clone(), 5).unwrap().0, start, "{shut}");
        }
    }

    #[test]
    fn only_plain_https_urls_are_fetched() {
        let page = |url: &str| Page::of_url(url, 1).map(|page| page.to_string());
        let whole = "https://a.example/x?y#z";
        assert_eq!(page(whole).as_deref(), Some("https://a.example/x?y"));
        assert_eq!(page("HTTPS://A.example:443").as_deref(), Some("https://a.example/"));
        for url in [
            "http://a.example/",
            "https://a.example:8443/",
            "https://u@a.example/",
            "https://a.example/\r\nX: y",
            "https:///x",
            "ftp",
        ] {
            assert_eq!(page(url), None, "{url}");
        }
    }
}
