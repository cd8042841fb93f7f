//! The standard library, as much of it as the other programs need at least: arguments, a file, a socket, a line.

use std::io::{Read, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("takes an address and a file".into());
    };
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(&std::fs::read(file)?)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    println!("{}", answer.len());
    Ok(())
}
