//! Three NATS servers on this machine, that keep everything three times.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::tool::Failure;

/// Where they speak MQTT.
pub(super) const SERVERS: [&str; 3] = ["127.0.0.1:11881", "127.0.0.1:11882", "127.0.0.1:11883"];

pub(super) struct Cluster(Vec<Option<Child>>);

impl Cluster {
    pub(super) fn start(server: &Path, folder: &Path) -> Result<Self, Failure> {
        let mut cluster = Self(Vec::new());
        for (number, mqtt) in SERVERS.iter().enumerate() {
            let own = folder.join(number.to_string());
            fs::create_dir_all(&own)?;
            let routes: Vec<_> = (0..SERVERS.len())
                .map(|other| format!("nats://127.0.0.1:1622{other}"))
                .collect();
            let config = format!(
                "server_name: node{number}\nlisten: 127.0.0.1:1422{number}\njetstream {{ store_dir: {own:?} }}\n\
                 cluster {{ name: fleet, listen: 127.0.0.1:1622{number}, routes: {routes:?} }}\n\
                 mqtt {{ listen: \"{mqtt}\", stream_replicas: 3 }}\n"
            );
            let file = own.join("nats.conf");
            fs::write(&file, config)?;
            let mut command = Command::new(server);
            command.arg("-c").arg(file).stdout(Stdio::null());
            let child = command.stderr(fs::File::create(own.join("log"))?).spawn()?;
            cluster.0.push(Some(child));
        }
        let start = Instant::now();
        for address in SERVERS {
            let address: SocketAddr = address.parse()?;
            while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
                if start.elapsed() > Duration::from_secs(20) {
                    return Err(format!("nats-server does not listen, see {}", folder.display()).into());
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(cluster)
    }

    /// Without a word to anybody.
    pub(super) fn kill(&mut self, number: usize) -> Result<(), Failure> {
        if let Some(mut child) = self.0.get_mut(number).and_then(Option::take) {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for number in 0..self.0.len() {
            let _ = self.kill(number);
        }
    }
}
