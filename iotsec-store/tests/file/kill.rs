//! A process that is killed while it writes.
use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use iotsec_core::hal::Region;
use iotsec_store::linux::NorFile;
use iotsec_testkit::SimRng;

use crate::{
    PROCESSES,
    folder::Folder,
    story::{Change, Expected, with_store},
};

/// Says to this test that it is the process to be killed: the first change to make.
const FIRST: &str = "IOTSEC_STORE_KILL_FIRST";
const FILE: &str = "IOTSEC_STORE_KILL_FILE";
/// How many processes are killed, 60 if it is not set.
const KILLS: &str = "IOTSEC_STORE_KILLS";

fn region() -> Region {
    Region::new(0, 2048, 6, 16).unwrap()
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    if let Ok(first) = std::env::var(FIRST) {
        write_until_killed(first.parse().unwrap());
    }
    let _alone = PROCESSES.lock().unwrap();
    let kills: u32 = std::env::var(KILLS).map_or(60, |text| text.parse().unwrap());
    let folder = Folder::new();
    let path = folder.join("keys");
    let mut expected = Expected::default();
    let mut file = NorFile::create(&path, region()).unwrap();
    with_store(&mut file, region(), true, |_, _| ()).unwrap();
    drop(file);

    let mut rng = SimRng::new(5);
    let (mut next, mut made, mut interrupted) = (0, 0, 0);
    for kill in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "kill::a_killed_process_loses_nothing_that_it_acknowledged",
            ])
            .arg("--nocapture")
            .env(FIRST, u32::to_string(&next))
            .env(FILE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        // Something must have begun: a process that is killed as it starts tests nothing. Later, any time.
        let mut said = Vec::new();
        let mut byte = [0];
        while !said.ends_with(b"begin ") && output.read(&mut byte).unwrap() == 1 {
            said.push(byte[0]);
        }
        thread::sleep(Duration::from_micros(rng.below(30_000)));
        child.kill().unwrap();
        output.read_to_end(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(
            status.code(),
            None,
            "not killed: {}",
            String::from_utf8_lossy(&said)
        );

        let text = String::from_utf8(said).unwrap();
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            // The test harness talks on the same line.
            if let Some((_, number)) = line.trim_end().rsplit_once("begin ") {
                expected.in_flight = Some(Change::new(number.parse().unwrap()));
                next = number.parse::<u32>().unwrap() + 1;
            } else if let Some(number) = line.trim_end().strip_prefix("done ") {
                expected.acknowledge(Change::new(number.parse().unwrap()));
                made += 1;
            }
        }
        interrupted += u32::from(expected.in_flight.is_some());
        let mut file = NorFile::open(&path, region()).unwrap();
        if let Err(wrong) = expected.check(&mut file, region(), next) {
            panic!("after kill {kill}: {wrong}");
        }
        next += 1;
    }
    println!("{kills} kills, {made} changes acknowledged, {interrupted} kills inside of a change");
    assert!(made > kills, "the processes did next to nothing: {made} changes");
    assert!(interrupted > 0, "no process was killed inside of a change");
}

fn write_until_killed(first: u32) -> ! {
    let mut file = NorFile::open(std::env::var_os(FILE).unwrap().as_ref(), region()).unwrap();
    // One write for each line: it is in the pipe or it is not.
    let say = |line: String| std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    let stopped = with_store(&mut file, region(), false, |store, flash| {
        for number in first.. {
            say(format!("begin {number}\n"));
            if let Err(error) = Change::new(number).make(store, flash) {
                return format!("{number}: {error}");
            }
            say(format!("done {number}\n"));
        }
        "no numbers left".to_owned()
    });
    panic!("{stopped:?}");
}
