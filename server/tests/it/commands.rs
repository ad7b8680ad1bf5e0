//! The program as somebody at a terminal meets it.

use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_muster");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .env("MUSTER_LOG", "error")
        .output()
        .unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn looking_makes_no_database_and_copying_none_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("typo");
    let copy = folder.path().join("copy.db");

    let refused = run(&["backup", "--data", text(&data), text(&copy)]);
    assert!(!refused.status.success());
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("there is nothing to copy"), "{words}");

    let checked = run(&["check", "--data", text(&data)]);
    assert!(checked.status.success());
    let words = String::from_utf8(checked.stdout).unwrap();
    assert!(words.contains("none yet"), "{words}");
    assert!(!data.exists() && !copy.exists());
}

#[cfg(unix)]
#[test]
fn what_is_stored_is_for_nobody_else_to_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let copy = folder.path().join("copy.db");
    let data_text = text(&data);
    let set_up = run(&[
        "setup",
        "--data",
        data_text,
        "--email",
        "maya@example.org",
        "--name",
        "Maya",
        "--json",
    ]);
    assert!(set_up.status.success());
    assert!(
        run(&["backup", "--data", data_text, text(&copy)])
            .status
            .success()
    );
    let mut files: Vec<_> = std::fs::read_dir(&data)
        .unwrap()
        .map(|one| one.unwrap().path())
        .collect();
    files.push(copy);
    for file in files.iter().filter(|file| text(file).contains(".db")) {
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} may be read by others", file.display());
    }
    assert!(files.len() >= 3, "{files:?}");
}

#[test]
fn a_folder_is_served_by_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let location = store::Location::Sqlite {
        directory: folder.path().to_owned(),
    };
    let held = muster::app::serve::hold_folder(&location).unwrap();
    let refused = run(&["serve", "--data", text(folder.path()), "--listen", "127.0.0.1:0"]);
    assert!(!refused.status.success());
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("another Muster already runs on"), "{words}");
    drop(held);
    assert!(muster::app::serve::hold_folder(&location).is_ok());
}

#[test]
fn nothing_real_is_put_into_the_demos_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("this-is-a-demo"), "").unwrap();
    let data = text(folder.path());
    let person = ["--email", "maya@example.org", "--name", "Maya"];
    let set_up = [&["setup", "--data", data][..], &person].concat();
    let serve = ["serve", "--data", data, "--listen", "127.0.0.1:0"];
    for refused in [run(&set_up), run(&serve)] {
        assert!(!refused.status.success());
        let words = String::from_utf8(refused.stderr).unwrap();
        assert!(words.contains("belongs to the demo"), "{words}");
    }
    assert!(!folder.path().join("muster.db").exists());
}
