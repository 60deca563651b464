//! One SMTP session of the sink, with its socket: reads, steps through the dialogue, writes.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::books::Books;
use super::dialogue::{Dialogue, Step};
use super::house::House;

/// Takes a connection off the count however its session ends.
struct Counted {
    books: Arc<Books>,
    client: String,
    local: String,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.books.closed(&self.client, &self.local);
    }
}

/// Serves one connection to its end.
pub(super) async fn run(house: House, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let counted = Counted {
        books: house.books.clone(),
        client: stream.peer_addr()?.ip().to_string(),
        local: stream.local_addr()?.ip().to_string(),
    };
    let open = house.books.opened(house.listener, &counted.client, &counted.local);
    let mut dialogue = Dialogue::new(house, counted.client.clone(), counted.local.clone(), open);
    let mut step = dialogue.connected().await;
    let mut input: Vec<u8> = Vec::with_capacity(128 * 1024);
    loop {
        // Step through everything that is already here, then write the replies and read more.
        let mut used = 0;
        while let Step::Took(_) = step {
            step = dialogue.step(&input[used..]).await;
            used += step.octets();
        }
        if !dialogue.replies.is_empty() {
            stream.write_all(&dialogue.replies).await?;
            dialogue.replies.clear();
        }
        if let Step::Close(_) = step {
            return stream.shutdown().await;
        }
        input.drain(..used);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        step = Step::Took(0);
    }
}
