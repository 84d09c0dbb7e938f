//! A line echo server for an `Enarx.toml`: finds its listener by name in `FD_NAMES`, as Enarx
//! programs do, and answers each line with the same line. TLS, where the manifest asks for it, ends
//! in the runtime: the program reads and writes plain bytes. Serves one connection after another
//! and ends after the line `quit`.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::FromRawFd;

const LISTENER: &str = "echo";

fn listener_descriptor() -> Option<i32> {
    let names = std::env::var("FD_NAMES").ok()?;
    names.split(':').position(|name| name == LISTENER).map(|fd| fd as i32)
}

/// Answers whether the client asked the server to end.
fn echo(connection: TcpStream) -> std::io::Result<bool> {
    let mut reader = BufReader::new(&connection);
    let mut writer = &connection;
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        writer.write_all(&line)?;
        if line == b"quit\n" {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}

fn main() {
    let Some(descriptor) = listener_descriptor() else {
        eprintln!("enarx-echo: FD_NAMES has no listener called {LISTENER}");
        std::process::exit(1);
    };
    // SAFETY: the runtime opened this descriptor for us, and nothing else here uses it.
    let listener = unsafe { TcpListener::from_raw_fd(descriptor) };
    println!("echo: ready on descriptor {descriptor}");
    loop {
        let result = listener.accept().and_then(|(connection, _)| echo(connection));
        match result {
            Ok(true) => return println!("echo: done"),
            Ok(false) => println!("echo: a client left"),
            Err(error) => eprintln!("echo: {error}"),
        }
    }
}
