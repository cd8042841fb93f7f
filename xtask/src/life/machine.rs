//! A board under power: QEMU, its serial link, and how it ends.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    os::unix::{
        net::{UnixListener, UnixStream},
        process::ExitStatusExt,
    },
    path::Path,
    process::{Child, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{PATIENCE, map::Map, message};
use crate::{qemu, tool::Failure};

/// When power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Not at all.
    Never,
    /// In this operation of the flash, which comes so far: the boot loader's.
    Loader(u64, u8),
    /// The application's.
    Application(u64, u8),
    /// After so much time.
    After(Duration),
}

/// How a machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It restarted.
    Restart,
    /// The power failed.
    Cut,
    /// The boot loader had nothing to start.
    Recovery,
}

/// An answer: the number of an error or 0, and what was asked for.
pub(super) type Answer = (u16, Vec<u8>);

/// What QEMU says of the timers of lm3s6965evb, which nobody uses here.
const UNUSED_TIMER: &str = "Timer with period zero, disabling";

/// A board under power.
pub(super) struct Machine {
    child: Child,
    console: JoinHandle<String>,
    link: Option<UnixStream>,
    /// It has said that it listens.
    ready: bool,
    killed: Option<Instant>,
}

impl Machine {
    /// Gives power. `folder` holds `flash.img`.
    pub(super) fn on(map: &Map, loader: &Path, folder: &Path, cut: Cut, seed: u64) -> Result<Self, Failure> {
        Self::started(map, loader, folder, cut, seed, false)
    }

    /// Gives power to a board that keeps it over a restart.
    pub(super) fn on_for_long(map: &Map, loader: &Path, folder: &Path, seed: u64) -> Result<Self, Failure> {
        Self::started(map, loader, folder, Cut::Never, seed, true)
    }

    fn started(
        map: &Map,
        loader: &Path,
        folder: &Path,
        cut: Cut,
        seed: u64,
        is_warm: bool,
    ) -> Result<Self, Failure> {
        let socket = folder.join("link");
        match fs::remove_file(&socket) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let listener = UnixListener::bind(&socket)?;
        listener.set_nonblocking(true)?;
        let mut options = format!("enable=on,target=native,arg=life,arg=seed={seed}");
        match cut {
            Cut::Loader(operation, part) => options += &format!(",arg=loader={operation}.{part}"),
            Cut::Application(operation, part) => options += &format!(",arg=application={operation}.{part}"),
            Cut::Never | Cut::After(_) => {}
        }
        // A restart ends the emulator, or is one of the machine in it.
        let reboot: &[&str] = if is_warm { &[] } else { &["-no-reboot"] };
        if is_warm {
            options += ",arg=warm";
        }
        let begun = Instant::now();
        let mut child = qemu::command(map.machine)
            .current_dir(folder)
            .args(reboot)
            .args(["-serial", "unix:link", "-semihosting-config", &options])
            .arg("-kernel")
            .arg(loader)
            .arg("-device")
            .arg(format!(
                "loader,file=flash.img,addr={:#x},force-raw=on",
                map.flash
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (out, errors) = (child.stdout.take(), child.stderr.take());
        let console = thread::spawn(move || {
            let mut said = Vec::new();
            // What came before a failure is worth as much. Errors are few: they wait.
            let _ = out.map(|mut out| out.read_to_end(&mut said));
            let _ = errors.map(|mut errors| errors.read_to_end(&mut said));
            let said = String::from_utf8_lossy(&said);
            let lines = said.lines().filter(|line| !line.contains(UNUSED_TIMER));
            lines.flat_map(|line| [line, "\n"]).collect()
        });
        let mut machine = Self {
            child,
            console,
            link: None,
            ready: false,
            killed: match cut {
                Cut::After(time) => Some(begun + time),
                _ => None,
            },
        };
        while machine.link.is_none() && machine.child.try_wait()?.is_none() {
            match listener.accept() {
                Ok((link, _)) => {
                    link.set_nonblocking(false)?;
                    machine.link = Some(link);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error.into()),
            }
            if begun.elapsed() > PATIENCE {
                machine.child.kill()?;
                return Err("QEMU does not open the serial link".into());
            }
        }
        Ok(machine)
    }

    /// Asks, and asks again when the question was damaged on the way. `None` when the machine has ended.
    pub(super) fn ask(&mut self, kind: u8, content: &[u8]) -> Result<Option<Answer>, Failure> {
        self.ask_badly(kind, content, false)
    }

    /// As [`ask`](Self::ask), with a bit that is flipped on the way the first time.
    pub(super) fn ask_badly(
        &mut self,
        kind: u8,
        content: &[u8],
        damage: bool,
    ) -> Result<Option<Answer>, Failure> {
        let frame = frame(kind, content)?;
        let mut damaged = damage.then(|| {
            let mut frame = frame.clone();
            if let Some(last) = frame.last_mut() {
                *last ^= 4;
            }
            frame
        });
        loop {
            let sent = damaged.take();
            let answer = self.exchange(sent.as_ref().unwrap_or(&frame))?;
            let Some((answered, content)) = answer else {
                return Ok(None);
            };
            if answered == message::AGAIN && sent.is_some() {
                continue;
            }
            if answered != kind || sent.is_some() {
                return Err(format!("question {kind} was answered as {answered}").into());
            }
            let (code, content) = content.split_first_chunk().ok_or("an answer without a number")?;
            return Ok(Some((u16::from_le_bytes(*code), content.to_vec())));
        }
    }

    /// Restarts the board, which stays under power, and waits until it listens again.
    pub(super) fn restart(&mut self) -> Result<(), Failure> {
        self.ask(message::RESTART, &[])?.ok_or("the machine has ended")?;
        let mut link = self.link.take().ok_or("the machine has ended")?;
        let begun = self.frame(&mut link, Instant::now() + PATIENCE)?;
        self.link = Some(link);
        match begun {
            Some((message::READY, _)) => Ok(()),
            other => Err(format!("after a restart came {other:?}").into()),
        }
    }

    fn exchange(&mut self, frame: &[u8]) -> Result<Option<(u8, Vec<u8>)>, Failure> {
        let deadline = Instant::now() + PATIENCE;
        let Some(mut link) = self.link.take() else {
            return Ok(None);
        };
        if !self.ready {
            match self.frame(&mut link, deadline)? {
                Some((message::READY, _)) => self.ready = true,
                Some((other, _)) => return Err(format!("a device that begins with answer {other}").into()),
                None => return Ok(None),
            }
        }
        // A machine that has ended takes nothing.
        if link.write_all(frame).is_err() {
            return Ok(None);
        }
        let answer = self.frame(&mut link, deadline)?;
        if answer.is_some() {
            self.link = Some(link);
        }
        Ok(answer)
    }

    /// The next frame that comes; `None` when the machine has ended.
    fn frame(&mut self, link: &mut UnixStream, deadline: Instant) -> Result<Option<(u8, Vec<u8>)>, Failure> {
        let mut head = [0; message::HEAD];
        if !self.receive(link, &mut head, deadline)? {
            return Ok(None);
        }
        let [start, kind, low, high] = head;
        if start != message::START {
            return Err("an answer that does not begin".into());
        }
        let mut rest = vec![0; usize::from(u16::from_le_bytes([low, high])) + 2];
        if !self.receive(link, &mut rest, deadline)? {
            return Ok(None);
        }
        let (content, sum) = rest.split_at(rest.len() - 2);
        let expected = message::crc(message::crc(message::CRC, &head[1..]), content);
        if sum != expected.to_le_bytes() {
            return Err("an answer with a wrong checksum".into());
        }
        Ok(Some((kind, content.to_vec())))
    }

    /// Whether all of it came.
    fn receive(
        &mut self,
        link: &mut UnixStream,
        mut bytes: &mut [u8],
        deadline: Instant,
    ) -> Result<bool, Failure> {
        while !bytes.is_empty() {
            let now = Instant::now();
            if self.killed.is_some_and(|at| now >= at) {
                self.child.kill()?;
                return Ok(false);
            }
            if now > deadline {
                self.child.kill()?;
                return Err(format!("no answer in {PATIENCE:?}").into());
            }
            let until = self.killed.unwrap_or(deadline).min(deadline);
            link.set_read_timeout(Some((until - now).max(Duration::from_micros(100))))?;
            match link.read(bytes) {
                Ok(0) => return Ok(false),
                Ok(count) => bytes = &mut bytes[count..],
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The end of the other side.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Takes the power away.
    pub(super) fn off(&mut self) -> Result<(), Failure> {
        self.link = None;
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Takes the power away; what it said while it had it.
    pub(super) fn off_at_last(mut self) -> Result<String, Failure> {
        self.off()?;
        let said = self.console.join();
        said.map_err(|_| "the reader of the console died".into())
    }

    /// How it ended, once it has stopped answering.
    pub(super) fn end(mut self) -> Result<(End, String), Failure> {
        let begun = Instant::now();
        self.link = None;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                self.child.kill()?;
                self.child.wait()?;
                return Err("the machine neither answers nor ends".into());
            }
            thread::sleep(Duration::from_millis(1));
        };
        let said = self
            .console
            .join()
            .map_err(|_| "the reader of the console died")?;
        let end = match (status.code(), status.signal()) {
            (Some(0), _) => End::Restart,
            (Some(8), _) => End::Recovery,
            (Some(9), _) | (_, Some(9)) => End::Cut,
            _ => return Err(format!("the machine failed ({status}): {said}").into()),
        };
        Ok((end, said))
    }
}

fn frame(kind: u8, content: &[u8]) -> Result<Vec<u8>, Failure> {
    let [low, high] = u16::try_from(content.len())?.to_le_bytes();
    let mut frame = vec![message::START, kind, low, high];
    frame.extend(content);
    let sum = message::crc(message::CRC, &frame[1..]);
    frame.extend(sum.to_le_bytes());
    Ok(frame)
}
