//! The cached data fresh from `initdb`: shared by many, and replaced when it is damaged.

use std::fs;
use std::path::{Path, PathBuf};

use crate::life::ask;
use crate::owner::{Plan, Report, Scratch, until};

/// Starts and finishes one owner with this cache.
fn start(cache: &Path, scratch: &Scratch) -> Report {
    let plan = Plan::new("serve").in_tmpdir(scratch).env("XDG_CACHE_HOME", cache);
    let mut owner = plan.start();
    let report = owner.ready();
    assert_eq!(ask(&report.connection, "SELECT 1"), "1");
    assert!(owner.finish().success());
    report
}

fn templates(cache: &Path) -> Vec<PathBuf> {
    let users = fs::read_dir(cache.join("dunlin")).unwrap();
    let of_user = |user: Result<fs::DirEntry, _>| fs::read_dir(user.unwrap().path()).unwrap();
    users.flat_map(of_user).map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn many_first_starts_leave_one_template() {
    let (cache, scratch) = (Scratch::new(), Scratch::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let _ = scope.spawn(|| start(cache.path(), &scratch));
        }
    });
    assert_eq!(scratch.names(), [""; 0]);
    let templates = templates(cache.path());
    let [template] = &templates[..] else { panic!("{templates:?}") };
    assert!(template.join("PG_VERSION").exists());
    assert!(!template.join("postmaster.opts").exists(), "no server has run on it");
}

#[test]
fn a_damaged_template_is_replaced() {
    let (cache, scratch) = (Scratch::new(), Scratch::new());
    let _ = start(cache.path(), &scratch);
    let control = templates(cache.path())[0].join("global/pg_control");
    for damage in ["", "no control data"] {
        fs::write(&control, damage).unwrap();
        let _ = start(cache.path(), &scratch);
        until("the template is whole", || fs::metadata(&control).unwrap().len() == 8192);
        assert_eq!(templates(cache.path()).len(), 1);
    }
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn a_setting_that_keeps_the_server_down_does_not_cost_the_template() {
    let (cache, scratch) = (Scratch::new(), Scratch::new());
    let _ = start(cache.path(), &scratch);
    let before = fs::metadata(&templates(cache.path())[0]).unwrap();
    let plan = Plan::new("serve").in_tmpdir(&scratch).env("XDG_CACHE_HOME", cache.path());
    let error = plan.env("SANDBOX_TEST_SETTING", "work_mem=much").start().outcome().unwrap_err();
    assert!(error.starts_with("PostgreSQL does not start"), "{error}");
    until("the failed server is gone", || scratch.names().is_empty());
    assert_eq!(templates(cache.path()).len(), 1);
    let after = fs::metadata(&templates(cache.path())[0]).unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino;
    assert_eq!(inode(&before), inode(&after));
}
