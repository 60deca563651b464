//! A host that plays a script.

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A host that takes one connection, plays a script and closes it.
pub(crate) struct Host(JoinHandle<()>);

impl Host {
    pub(crate) fn on(listener: TcpListener, script: &str) -> Self {
        let script = script.to_owned();
        Self(tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            play(&mut stream, &script).await;
        }))
    }

    /// The script has been played to its end.
    pub(crate) async fn done(self) {
        self.0.await.unwrap();
    }
}

/// Says what stands behind `S:` and hears what stands behind `C:`; `hold` neither says nor hears
/// anything any more.
pub(crate) async fn play<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, script: &str) {
    let mut stream = BufReader::new(stream);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line.split_at(2) {
            ("S:", text) => {
                let text = format!("{}\r\n", text.trim_start());
                stream.write_all(text.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
            }
            ("C:", text) => {
                let mut heard = String::new();
                stream.read_line(&mut heard).await.unwrap();
                assert_eq!(heard, format!("{}\r\n", text.trim_start()));
            }
            _ => std::future::pending().await,
        }
    }
}
