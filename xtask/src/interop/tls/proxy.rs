//! A recorder of everything that goes by.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use crate::tool::Failure;

type Record = Arc<Mutex<Vec<u8>>>;

pub(super) struct Proxy {
    address: SocketAddr,
    record: Record,
    running: JoinHandle<std::io::Result<()>>,
}

/// Takes one connection to `target`.
pub(super) fn start(target: SocketAddr) -> Result<Proxy, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let record = Record::default();
    let log = record.clone();
    let running = thread::spawn(move || {
        let (near, _) = listener.accept()?;
        let far = TcpStream::connect(target)?;
        let back = {
            let (from, to, log) = (far.try_clone()?, near.try_clone()?, log.clone());
            thread::spawn(move || copy(from, to, &log))
        };
        let there = copy(near, far, &log);
        // A peer that resets the connection has said what it had to say.
        let _ = back.join();
        let _ = there;
        Ok(())
    });
    Ok(Proxy {
        address,
        record,
        running,
    })
}

fn copy(mut from: TcpStream, mut to: TcpStream, record: &Record) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return to.shutdown(Shutdown::Write);
        }
        if let Ok(mut record) = record.lock() {
            record.extend_from_slice(&buffer[..read]);
        }
        to.write_all(&buffer[..read])?;
    }
}

impl Proxy {
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything, in both directions, once both have ended.
    pub(super) fn finish(self) -> Result<Vec<u8>, Failure> {
        self.running.join().map_err(|_| "the recorder panicked")??;
        let record = self.record.lock().map_err(|_| "the recorder panicked")?;
        Ok(record.clone())
    }
}
