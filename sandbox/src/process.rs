//! Questions about other processes.

use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

fn pid(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}

/// Whether the process exists and has not ended; one we may not signal does.
///
/// A zombie has ended: its parent, or in a container nobody, has yet to collect it.
pub(crate) fn is_alive(number: u32) -> bool {
    let Some(pid) = pid(number) else { return false };
    !matches!(test_kill_process(pid), Err(Errno::SRCH)) && !is_zombie(number)
}

fn is_zombie(number: u32) -> bool {
    if !cfg!(target_os = "linux") {
        return ps("stat=", number).is_some_and(|state| state.starts_with(b"Z"));
    }
    // proc_pid_stat(5): `pid (any name) state …`.
    std::fs::read_to_string(format!("/proc/{number}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}

/// Whether the process runs as a server on this data folder, and is neither a zombie nor a later
/// process of that number.
pub(crate) fn serves(number: u32, data: &Path) -> bool {
    let data = data.as_os_str().as_encoded_bytes();
    command_line(number).is_some_and(|line| line.windows(data.len()).any(|part| part == data))
}

fn command_line(number: u32) -> Option<Vec<u8>> {
    if cfg!(target_os = "linux") {
        return std::fs::read(format!("/proc/{number}/cmdline")).ok();
    }
    ps("args=", number)
}

fn ps(column: &str, number: u32) -> Option<Vec<u8>> {
    let mut ps = std::process::Command::new("ps");
    Some(ps.args(["-o", column, "-ww", "-p", &number.to_string()]).output().ok()?.stdout)
}

/// PostgreSQL's immediate shutdown: no checkpoint, but its shared memory is released.
pub(crate) fn quit(number: u32) {
    if let Some(pid) = pid(number) {
        crate::error::ignore(kill_process(pid, Signal::QUIT), "it may be gone already");
    }
}

/// Waits at most ten seconds.
pub(crate) fn wait_until_gone(number: u32) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        !is_alive(number)
    })
}
