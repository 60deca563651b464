//! To whom a pack is written, and what they ask for.

/// To whom a pack is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Addressee {
    /// GMX, web.de, mail.com, IONOS: the form of their postmaster pages.
    Gmx,
    /// Gmail: the sender's contact form.
    Gmail,
    /// Outlook.com, Hotmail, Live: their support's form.
    Outlook,
    /// Yahoo and AOL: the sender's form.
    Yahoo,
    /// T-Online: a mail to their postmaster.
    TOnline,
    /// Whoever owns the address that is refused: an ESP or a hoster.
    Esp,
    /// Any other postmaster.
    Postmaster,
}

impl Addressee {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Gmx,
        Self::Gmail,
        Self::Outlook,
        Self::Yahoo,
        Self::TOnline,
        Self::Esp,
        Self::Postmaster,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gmx => "gmx",
            Self::Gmail => "gmail",
            Self::Outlook => "outlook",
            Self::Yahoo => "yahoo",
            Self::TOnline => "t-online",
            Self::Esp => "esp",
            Self::Postmaster => "postmaster",
        }
    }

    /// The addressee with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.name() == name)
    }

    /// Who is written to about this provider, if nobody says otherwise.
    pub fn of_provider(id: &str) -> Self {
        match id {
            "united-internet" => Self::Gmx,
            "google" => Self::Gmail,
            "microsoft-consumer" | "microsoft" => Self::Outlook,
            "yahoo" => Self::Yahoo,
            "t-online" => Self::TOnline,
            _ => Self::Postmaster,
        }
    }

    /// What to have in hand before writing. What providers ask of senders is in the notes of
    /// `core/replies/providers.toml`, with sources; the rest is advice of ours.
    pub(super) const fn asks(self) -> &'static str {
        match self {
            Self::Gmx => {
                "open the link of the case first; its parameter r is the session that their form goes by. Have a DKIM signature aligned with From, and a PTR of your own that is the EHLO name."
            }
            Self::Gmail => {
                "have SPF, DKIM, DMARC and reverse DNS pass, and the complaint rate below 0.1 %; have the whole reply at hand."
            }
            Self::Outlook => {
                "have the sending addresses and the code of the reply (S3140, S3150, 5.7.515) at hand."
            }
            Self::Yahoo => {
                "have the sending addresses, the domain and the code of the reply (TSS04) at hand, and say what was done about complaints."
            }
            Self::TOnline => {
                "the host name must lead to a web site with an imprint and a contact; write from an address of that domain."
            }
            Self::Esp => {
                "ask who else sends by this address, and for another one if they cannot say."
            }
            Self::Postmaster => {
                "write to postmaster@ of the provider's domain if there is no form (RFC 5321 §4.5.1)."
            }
        }
    }
}
