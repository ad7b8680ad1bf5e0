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

/// Makes the first owner of a folder.
fn set_up(data: &Path) {
    let person = ["--email", "maya@example.org", "--name", "Maya", "--json"];
    let made = run(&[&["setup", "--data", text(data)][..], &person].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The first owner is the last resort of paging: to an address that mail cannot go to, nobody is paged.
#[test]
fn the_first_owner_has_an_address_that_mail_can_go_to() {
    let folder = tempfile::tempdir().unwrap();
    let data = text(folder.path());
    for wrong in [
        "@",
        "maya",
        "a b@c",
        "oncall@x, boss@y",
        "maya@example.org\nBcc: x@y",
    ] {
        let refused = run(&["setup", "--data", data, "--email", wrong, "--name", "Maya"]);
        assert!(!refused.status.success(), "{wrong}");
        let words = String::from_utf8(refused.stderr).unwrap();
        assert!(words.contains("--email must be an e-mail address"), "{words}");
    }
    let here = run(&[
        "setup",
        "--data",
        data,
        "--email",
        "maya@localhost",
        "--name",
        "Maya",
    ]);
    assert!(here.status.success());
}

#[test]
fn an_address_that_others_are_appended_to_holds_nothing_behind_its_path() {
    for wrong in [
        "https://x.example/?q=1",
        "https://x.example/#here",
        "https://maya:x@x.example",
    ] {
        let checked = Command::new(PROGRAM)
            .args(["check"])
            .env("MUSTER_BASE_URL", wrong)
            .output()
            .unwrap();
        let words = said(&checked) + &String::from_utf8_lossy(&checked.stderr);
        assert!(words.contains("base_url is"), "{wrong}: {words}");
    }
}

#[test]
fn the_help_names_every_command_with_a_sentence() {
    let help = said(&run(&["--help"]));
    for words in [
        "serve    Run Muster: accept events, page, and show the console",
        "demo     Show a retailer's outage from beginning to end, in a database of its own",
        "setup    Make the first owner and an API key, without asking questions",
        "check    Say what is configured, what is missing, and what is wrong",
        "backup   Write a consistent copy of the embedded database while it is in use",
        "restore  Make a copy that `backup` wrote the database of a folder that has none",
        "openapi  Print the OpenAPI document",
    ] {
        assert!(help.contains(words), "{help}");
    }
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("muster.toml");
    std::fs::write(
        &file,
        "listen = \"127.0.0.1:7001\"\nbase_url = \"https://file.example.org\"\nmail_from = \"file@example.org\"\n\
         smtp_url = \"smtp://localhost:25\"\n",
    )
    .unwrap();
    let checked = Command::new(PROGRAM)
        .args(["check", "--data", text(folder.path()), "--config", text(&file)])
        .args(["--listen", "127.0.0.1:7003"])
        .env("MUSTER_LISTEN", "127.0.0.1:7002")
        .env("MUSTER_BASE_URL", "https://environment.example.org")
        .output()
        .unwrap();
    let words = said(&checked);
    for part in [
        "listen: 127.0.0.1:7003",
        "https://environment.example.org",
        "mail: sent as file@example.org",
    ] {
        assert!(
            words.contains(part),
            "{words}{}",
            String::from_utf8_lossy(&checked.stderr)
        );
    }
}

#[test]
fn a_check_says_what_is_there_and_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    set_up(&data);
    let words = said(&run(&["check", "--data", text(&data)]));
    for part in [
        "database: ready",
        "audit log: ",
        "chain whole",
        "mail: not configured",
        "TLS: off",
    ] {
        assert!(words.contains(part), "{words}");
    }
}

#[test]
fn a_copy_that_is_restored_is_whole_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy, again) = (
        folder.path().join("data"),
        folder.path().join("copy.db"),
        folder.path().join("again"),
    );
    set_up(&data);
    assert!(
        run(&["backup", "--data", text(&data), text(&copy)])
            .status
            .success()
    );
    let restore = ["restore", "--data", text(&again), text(&copy)];
    let restored = run(&restore);
    assert!(
        restored.status.success(),
        "{}",
        String::from_utf8_lossy(&restored.stderr)
    );
    let words = said(&run(&["check", "--data", text(&again)]));
    assert!(words.contains("chain whole"), "{words}");
    assert!(!run(&restore).status.success(), "there is one already");
}

#[test]
fn logs_can_be_for_programs() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut server = Command::new(PROGRAM)
        .args(["serve", "--data", text(folder.path()), "--listen", "127.0.0.1:0"])
        .env("MUSTER_LOG_FORMAT", "json")
        .env("MUSTER_LOG", "info")
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let greeting = lines.find_map(|line| {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).expect("every line is JSON");
        line["message"]
            .as_str()
            .is_some_and(|words| words.starts_with("Muster listens on"))
            .then_some(line)
    });
    server.kill().unwrap();
    server.wait().unwrap();
    let greeting = greeting.unwrap();
    assert_eq!(greeting["level"], "INFO");
    assert!(greeting["timestamp"].is_string());
}

#[test]
fn a_demo_runs_at_the_speeds_that_it_names_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    for speed in ["0", "1001", "fast"] {
        let refused = run(&["demo", "--data", text(folder.path()), "--speed", speed]);
        assert!(!refused.status.success(), "{speed}");
    }
    assert!(!folder.path().join("muster.db").exists());
}

/// Where in the program it happened means nothing to whoever typed the command.
#[test]
fn what_went_wrong_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Command::new(PROGRAM)
        .args(["backup", "--data", text(&folder.path().join("none")), "copy.db"])
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let words = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(words.lines().count(), 1, "{words}");
    assert!(words.starts_with("muster: there is no database in"), "{words}");
}

#[test]
fn mistakes_of_the_file_and_of_the_flags_are_named_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("muster.toml");
    std::fs::write(&file, "listen_to = \"here\"\nbase_url = 7\n").unwrap();
    let refused = run(&[
        "check",
        "--config",
        text(&file),
        "--listen",
        "8080",
        "--false-alarms-per-week",
        "few",
    ]);
    assert!(!refused.status.success());
    let words = String::from_utf8(refused.stderr).unwrap();
    for mistake in [
        "listen_to in the settings file",
        "base_url in the settings file",
        "listen is \"8080\"",
        "false_alarms_per_week is few",
    ] {
        assert!(words.contains(mistake), "“{mistake}” is not in: {words}");
    }
}

#[test]
fn a_database_that_cannot_be_reached_hides_nothing_else() {
    let checked = run(&["check", "--database", "postgres://nobody@127.0.0.1:1/none"]);
    assert!(!checked.status.success());
    let words = String::from_utf8(checked.stdout).unwrap();
    for line in [
        "database: NOT USABLE",
        "listen: ",
        "mail: not configured",
        "TLS: off",
        "secrets: NOT sealed",
    ] {
        assert!(words.contains(line), "“{line}” is not in: {words}");
    }
}
