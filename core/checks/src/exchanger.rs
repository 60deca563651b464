//! How a mail exchanger greets: whether it offers to encrypt, and who it shows itself to be.

/// What came of a connection to port 25 of a mail exchanger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// It was encrypted; what it was proved with is not judged yet.
    Encrypted {
        /// The certificates, in DER, the host's own first.
        chain: Vec<Box<[u8]>>,
        /// Why nobody that is believed vouches for them and the host's name; none where
        /// somebody does.
        distrust: Option<Box<str>>,
        /// `TLSv1.2` or `TLSv1.3`.
        version: Box<str>,
    },
    /// It does not offer STARTTLS.
    Plain,
    /// It offers STARTTLS, and the handshake failed.
    Broken(Box<str>),
    /// There was no connection, which says nothing about the host.
    Failed(Box<str>),
}
