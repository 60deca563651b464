//! Postfix as Debian installs it, with a relayhost and a port of its own.
//!
//! Nothing is tuned. Its daemons run outside the chroot, since what Debian copies in there at boot
//! is missing in a queue of our own; there is no syslog, so it does not pay for its log.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::{Running, Top, command, free_address, wait_for_listener};

/// What Debian's package calls its defaults.
const MAIN: &str = "/usr/share/postfix/main.cf.debian";
const MASTER: &str = "/usr/share/postfix/master.cf.dist";
/// Postfix's parent of all daemons.
const MASTER_DAEMON: &str = "/usr/lib/postfix/sbin/master";

/// Starts an instance with queue and configuration in `folder`; needs root.
pub(super) fn start(folder: &Path, to: SocketAddr, wrapper: &[String]) -> anyhow::Result<Running> {
    let smtp = free_address()?;
    let (etc, queue, data) = (folder.join("etc"), folder.join("queue"), folder.join("state"));
    for made in [&etc, &queue, &data] {
        fs::create_dir_all(made).with_context(|| format!("while making {}", made.display()))?;
    }
    let read = |path| fs::read_to_string(path).with_context(|| format!("while reading {path}"));
    let main = format!(
        "{}\nqueue_directory = {}\ndata_directory = {}\nrelayhost = [{}]:{}\n\
         inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
         myhostname = postfix.bench.test\nmydestination =\nalias_maps =\n\
         smtpd_relay_restrictions = permit_mynetworks, reject\n",
        read(MAIN)?,
        queue.display(),
        data.display(),
        to.ip(),
        to.port(),
    );
    fs::write(etc.join("main.cf"), main)?;
    fs::write(etc.join("master.cf"), services(&read(MASTER)?, smtp))?;
    let status = Command::new("chown").arg("postfix").arg(&data).status()?;
    anyhow::ensure!(status.success(), "the folder of Postfix's state cannot be given to it");
    // `postfix start` would put a shell between us and the master; what it does first, we ask for.
    let checked = Command::new("/usr/sbin/postfix").arg("-c").arg(&etc).arg("check").output()?;
    let said = String::from_utf8_lossy(&checked.stderr);
    anyhow::ensure!(checked.status.success(), "Postfix does not like its configuration: {said}");
    let mut child = command(wrapper, Path::new(MASTER_DAEMON), folder)?
        .args(["-s", "-c"])
        .arg(&etc)
        .stdout(Stdio::null())
        .spawn()
        .context("while starting Postfix")?;
    let listens = wait_for_listener(smtp, &mut child);
    let running = Running { child, top: Top::of(wrapper), smtp };
    listens.map(|()| running)
}

/// Debian's services, the SMTP server at `smtp`, none in a chroot.
fn services(master: &str, smtp: SocketAddr) -> String {
    let mut services = String::new();
    for line in master.lines() {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let is_service = words.len() >= 8 && !line.starts_with(['#', ' ']);
        let address = smtp.to_string();
        if is_service {
            words[4] = "n";
            if words[..2] == ["smtp", "inet"] {
                words[0] = &address;
            }
            services.push_str(&words.join(" "));
        } else {
            services.push_str(line);
        }
        services.push('\n');
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_and_the_chroot_are_changed() {
        let master = "# a b c d e f g h\nsmtp      inet  n       -       y       -       -       smtpd\n\
            smtp unix - - y - - smtp\nrelay unix - - y - - smtp\n        -o a=b\n";
        assert_eq!(
            services(master, "127.0.0.1:4000".parse().unwrap()),
            "# a b c d e f g h\n127.0.0.1:4000 inet n - n - - smtpd\nsmtp unix - - n - - smtp\n\
             relay unix - - n - - smtp\n        -o a=b\n"
        );
    }
}
