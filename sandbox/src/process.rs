//! Questions about other processes.

use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}

/// Whether the process exists; one we may not signal does.
pub(crate) fn is_alive(number: u32) -> bool {
    let Some(pid) = pid(number) else { return false };
    !matches!(test_kill_process(pid), Err(Errno::SRCH))
}

/// Whether the process is a server on this data folder, and not a later process of that number.
pub(crate) fn serves(number: u32, data: &Path) -> bool {
    let data = data.as_os_str().as_encoded_bytes();
    command_line(number).is_some_and(|line| line.windows(data.len()).any(|part| part == data))
}

fn command_line(number: u32) -> Option<Vec<u8>> {
    if cfg!(target_os = "linux") {
        return std::fs::read(format!("/proc/{number}/cmdline")).ok();
    }
    let mut ps = std::process::Command::new("ps");
    Some(ps.args(["-o", "args=", "-ww", "-p", &number.to_string()]).output().ok()?.stdout)
}

/// PostgreSQL's immediate shutdown: no checkpoint, but its shared memory is released.
pub(crate) fn quit(number: u32) {
    if let Some(pid) = pid(number) {
        crate::error::ignore(kill_process(pid, Signal::QUIT), "it may be gone already");
    }
}

/// Waits at most ten seconds.
pub(crate) fn wait_until_gone(number: u32) -> bool {
    (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        !is_alive(number)
    })
}
