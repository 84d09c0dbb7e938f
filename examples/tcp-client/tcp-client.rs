//! Asks a web server for a page over a connection that the manifest grants. The program opens no
//! socket and looks up no name: descriptor 3 is already connected when it starts.
//!
//! Arguments: the path to ask for (default `/`). Prints the status line and the body.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::FromRawFd;

const CONNECTION: i32 = 3;
const RESPONSE_BYTES_MAX: u64 = 1 << 20;

fn fetch(path: &str) -> Result<String, String> {
    // SAFETY: the manifest's fourth descriptor is this connection, and nothing else here uses it.
    let mut connection = unsafe { TcpStream::from_raw_fd(CONNECTION) };
    let request = format!("GET {path} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n");
    connection
        .write_all(request.as_bytes())
        .map_err(|error| format!("cannot send on descriptor {CONNECTION}: {error}"))?;
    let mut response = Vec::new();
    (&mut connection)
        .take(RESPONSE_BYTES_MAX)
        .read_to_end(&mut response)
        .map_err(|error| format!("cannot receive on descriptor {CONNECTION}: {error}"))?;
    String::from_utf8(response).map_err(|_| "the answer is not UTF-8".to_string())
}

fn main() {
    let path = std::env::args().nth(1).unwrap_or_else(|| "/".to_string());
    let response = fetch(&path).unwrap_or_else(|message| {
        eprintln!("tcp-client: {message}");
        std::process::exit(1);
    });
    match response.split_once("\r\n\r\n") {
        Some((head, body)) => print!("{}\n{body}", head.lines().next().unwrap_or("")),
        None => {
            eprintln!("tcp-client: no HTTP answer came ({} bytes)", response.len());
            std::process::exit(1);
        }
    }
}
