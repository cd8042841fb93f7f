//! Two ends of a cable in two network namespaces, and the server at the far end.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::tool::{self, Failure};

pub(crate) const SERVER: &str = "10.213.0.2:1883";
const NAMESPACE: &str = "server";

pub(crate) struct Network;

impl Network {
    /// In a network namespace of our own, whose `/run` is ours too.
    pub(crate) fn new() -> Result<Self, Failure> {
        let network = Self;
        tool::run(Command::new("mount").args(["-t", "tmpfs", "tmpfs", "/run"]))?;
        network.device(&["link", "set", "lo", "up"])?;
        network.device(&["netns", "add", NAMESPACE])?;
        network.device(&[
            "link", "add", "device0", "type", "veth", "peer", "server0", "netns", NAMESPACE,
        ])?;
        network.device(&["address", "add", "10.213.0.1/30", "dev", "device0"])?;
        network.server(&["address", "add", "10.213.0.2/30", "dev", "server0"])?;
        network.device(&["link", "set", "device0", "up"])?;
        network.server(&["link", "set", "server0", "up"])?;
        network.server(&["link", "set", "lo", "up"])?;
        Ok(network)
    }

    /// `ip` at the device's end.
    pub(crate) fn device(&self, args: &[&str]) -> Result<(), Failure> {
        tool::run(Command::new("ip").args(args))
    }

    /// `ip` at the server's end.
    pub(crate) fn server(&self, args: &[&str]) -> Result<(), Failure> {
        tool::run(Command::new("ip").args(["-netns", NAMESPACE]).args(args))
    }

    pub(crate) fn slow(&self, is_slow: bool) -> Result<(), Failure> {
        let mut tc = Command::new("tc");
        if is_slow {
            let limit = ["tbf", "rate", "32kbit", "burst", "1600", "limit", "16000"];
            tc.args(["qdisc", "add", "dev", "device0", "root"]).args(limit);
        } else {
            tc.args(["qdisc", "del", "dev", "device0", "root"]);
        }
        tool::run(&mut tc).map_err(|error| format!("{error}: the kernel needs sch_tbf").into())
    }
}

/// A command at the server's end.
pub(crate) fn at_server(program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", NAMESPACE, program]);
    command
}

/// A real mosquitto, which keeps sessions in a file.
pub(crate) struct Broker {
    config: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Broker {
    pub(crate) fn new(folder: &Path) -> Result<Self, Failure> {
        let config = folder.join("mosquitto.conf");
        let lines = [
            "listener 1883 0.0.0.0".to_owned(),
            "allow_anonymous true".to_owned(),
            "user root".to_owned(),
            // What a server acknowledges and loses is not the device's fault: this one writes down what it has.
            "persistence true".to_owned(),
            format!("persistence_location {}/", folder.display()),
            "autosave_on_changes true".to_owned(),
            "autosave_interval 1".to_owned(),
        ];
        fs::write(&config, lines.join("\n") + "\n")?;
        Ok(Self {
            config,
            log: folder.join("mosquitto.log"),
            child: None,
        })
    }

    pub(crate) fn start(&mut self) -> Result<(), Failure> {
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = at_server("mosquitto");
        command
            .arg("-c")
            .arg(&self.config)
            .stdout(Stdio::null())
            .stderr(log);
        self.child = Some(command.spawn()?);
        // It listens before anybody counts the time.
        let (start, address) = (Instant::now(), SERVER.parse::<SocketAddr>()?);
        while TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            if start.elapsed() > Duration::from_secs(5) {
                return Err(format!("mosquitto does not listen, see {}", self.log.display()).into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(crate) fn signal(&mut self, name: &str) -> Result<(), Failure> {
        let child = self.child.as_ref().ok_or("mosquitto does not run")?;
        tool::run(
            Command::new("kill")
                .arg(format!("-{name}"))
                .arg(child.id().to_string()),
        )
    }

    /// At once, whatever it is doing.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        let mut child = self.child.take().ok_or("mosquitto does not run")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// As an administrator does.
    pub(crate) fn stop(&mut self) -> Result<(), Failure> {
        self.signal("TERM")?;
        let mut child = self.child.take().ok_or("mosquitto does not run")?;
        child.wait()?;
        Ok(())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may be frozen, which SIGKILL does not mind.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
