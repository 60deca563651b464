//! The relay under a service manager: sockets that it is handed.

use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};

use crate::relay::{Dialogue, Home};

#[test]
fn a_socket_that_systemd_holds_is_used() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let home = Home::new();
    let relay = home.command(&["serve", "--http", "127.0.0.1:0", "--smtp", &address.to_string()]);
    // What systemd does: the socket is descriptor 3, and the variables name our own process.
    let script = r#"exec 3<&"$0"; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@""#;
    let inherited = rustix::io::dup(&socket).unwrap();
    let mut child = Command::new("bash")
        .args(["-c", script, &inherited.as_raw_fd().to_string()])
        .arg(relay.get_program())
        .args(relay.get_args())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The connection waits in the queue of the socket until the relay takes it.
    let greeting = Dialogue::open(address).say("EHLO app.example");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(greeting.starts_with("250"), "{greeting}");
}
