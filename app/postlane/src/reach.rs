//! How a command finds the running server.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// How a command finds the running server.
#[derive(Args)]
#[command(next_help_heading = "Which server")]
pub(crate) struct Reach {
    /// The server's data directory [default: ./postlane-data; commands look in
    /// /var/lib/postlane, too]
    #[arg(long, value_name = "DIR", global = true, env = "POSTLANE_DATA", hide_env_values = true)]
    pub(crate) data: Option<PathBuf>,
    /// Talk to this HTTP address rather than to the server's unix socket
    #[arg(long, value_name = "ADDR:PORT", global = true, value_parser = socket_address)]
    pub(crate) server: Option<SocketAddr>,
    /// The file with the API's token [default: DIR/token]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) token: Option<PathBuf>,
    /// Print JSON: one value, or one per line
    #[arg(long, global = true, help_heading = None)]
    pub(crate) json: bool,
}

impl Reach {
    /// The server's data directory: what was said, else the one `serve` makes here, else the one
    /// of the Debian package.
    pub(crate) fn data_dir(&self) -> PathBuf {
        const PACKAGED: &str = "/var/lib/postlane";
        self.data.clone().unwrap_or_else(|| {
            let here = PathBuf::from("postlane-data");
            let packaged = PathBuf::from(PACKAGED);
            if !here.exists() && packaged.exists() { packaged } else { here }
        })
    }
}

/// An address with a port, as an option gives it.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "an IP address and a port are wanted, as in 127.0.0.1:2525 or [::1]:2525".to_owned()
    })
}
