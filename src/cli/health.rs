//! `taskql health`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::Failure;
use crate::config::{ConfigError, Source};

/// How long the server may take to accept, and then to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the server at the configured address whether it lives: for containers without a shell.
pub(super) fn run(source: &Source) -> Result<(), Failure> {
    let address = reachable(source.settings.listen);
    if address.port() == 0 {
        let what = format!("{address} does not say on which port the server is; give the one that its log names");
        return Err(ConfigError::new("TASKQL_LISTEN", what).into());
    }
    match status(address) {
        Ok(head) if head.starts_with("HTTP/1.1 200") => {
            println!("healthy");
            Ok(())
        }
        Ok(head) => Err(Failure::Other(format!("http://{address}/health answers '{}'", head.escape_default()))),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            let seconds = PATIENCE.as_secs();
            Err(Failure::Other(format!("http://{address}/health does not answer within {seconds} seconds")))
        }
        Err(error) => Err(Failure::Other(format!("http://{address}/health cannot be asked: {error}"))),
    }
}

/// Where a server on this machine can be asked that listens on `address`: all addresses are no address to connect to.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The beginning of the answer's first line: version and status.
fn status(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // Development mode answers to this name only.
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(String::from_utf8_lossy(&head).into_owned())
}
