//! A node that is asked to stop: what is under way is finished, and nobody's open page keeps it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use store::Engine;

use super::node::{Node, build_service, environment, set_up_owner};
use crate::smtp::MailServer;

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Reads until the answer holds these words.
fn read_until(stream: &mut TcpStream, words: &str) -> String {
    let mut read = String::new();
    let mut piece = [0; 4096];
    while !read.contains(words) {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "“{words}” did not come: {read}");
        read.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
    read
}

fn sign_in(port: u16, password: &str) -> String {
    let form = format!("email=maya%40example.org&password={password}&back=%2Fconsole");
    let mut stream = connect(port);
    write!(
        stream,
        "POST /console/sign-in HTTP/1.1\r\nhost: muster\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    let answer = read_until(&mut stream, "\r\n\r\n");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    cookie.unwrap().split(';').next().unwrap().to_owned()
}

#[store::both_engines]
async fn a_request_under_way_is_answered_and_an_open_page_does_not_keep_the_process(engine: Engine) {
    let mail = MailServer::start();
    let (location, _guard) = store::testing::empty(engine).await;
    let environment = environment(&location, mail.port);
    let owner = set_up_owner(&environment);
    let mut node = Node::start(&environment);
    let key = build_service(node.port, &owner.api_key);

    let cookie = sign_in(node.port, &owner.password);
    let mut page = connect(node.port);
    write!(
        page,
        "GET /console/live HTTP/1.1\r\nhost: muster\r\ncookie: {cookie}\r\n\r\n"
    )
    .unwrap();
    read_until(&mut page, "event: time");

    let event = json!({
        "routing_key": key, "event_action": "trigger", "dedup_key": "last",
        "payload": { "summary": "Till is silent", "source": "till.leeds", "severity": "critical" },
    })
    .to_string();
    let (begun, rest) = event.split_at(event.len() / 2);
    let mut sender = connect(node.port);
    write!(
        sender,
        "POST /v2/enqueue HTTP/1.1\r\nhost: muster\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{begun}",
        event.len()
    )
    .unwrap();
    // Answered on a connection made after it, so the node has begun to read the other.
    read_until(&mut ask_live(node.port), "200 OK");
    node.ask_to_stop();
    let mut ended = String::new();
    page.read_to_string(&mut ended).unwrap();
    sender.write_all(rest.as_bytes()).unwrap();
    read_until(&mut sender, "202 Accepted");
    assert!(node.ended().success());

    let again = Node::start(&environment);
    let mut api = super::node::Connection::open(again.port).unwrap();
    let mut found = json!(null);
    for _ in 0..200 {
        let path = "/incidents?date_range=all";
        found = api.ask("GET", path, &owner.api_key, None).unwrap().1;
        if found["incidents"][0]["title"] == "Till is silent" {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the event that was accepted last is no incident: {found}");
}

fn ask_live(port: u16) -> TcpStream {
    let mut stream = connect(port);
    write!(stream, "GET /health/live HTTP/1.1\r\nhost: muster\r\n\r\n").unwrap();
    stream
}
