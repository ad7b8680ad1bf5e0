//! Reporting without an account.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use store::Engine;

use super::{link, outage, set_status};
use crate::harness::{Answer, TestApp};

async fn visit(muster: &TestApp, path: &str) -> Answer {
    muster.send(Request::get(path).body(Body::empty()).unwrap()).await
}

pub(super) async fn submit(muster: &TestApp, path: &str, form: &str) -> Answer {
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    muster.send(request).await
}

pub(super) fn leads_to(answer: &Answer) -> String {
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text);
    answer.headers["location"].to_str().unwrap().to_owned()
}

const ONCE: &str = "once=abcdefghijklmnopqrstuvwx";

#[store::both_engines]
async fn anybody_can_report_and_gets_a_number_and_a_page_of_their_own(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let blank = visit(&muster, "/report").await;
    assert_eq!(blank.status.as_u16(), 200);
    assert!(blank.headers.get("set-cookie").is_none());
    assert!(!blank.text.contains("<script"));
    let form = format!("{ONCE}&text=Card+reader+offline&name=Hannah");
    let own = leads_to(&submit(&muster, "/report", &form).await);
    let page = visit(&muster, &own).await;
    assert!(page.text.contains("Your report C-1"));
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    assert_eq!(leads_to(&submit(&muster, "/report", &form).await), own);
    let cases = muster.get("/cases?total=true").await.good();
    assert_eq!(cases["total"], 1);
    assert_eq!(cases["cases"][0]["channel"], "form");
}

#[store::both_engines]
async fn a_location_reports_behind_its_own_code(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let place = muster.get(&format!("/locations/{}", outage.leeds)).await.good();
    let code = place["location"]["code"].as_str().unwrap().to_owned();
    let blank = visit(&muster, &format!("/at/{code}/report")).await;
    assert!(blank.text.contains("What does not work in Leeds Briggate?"));
    let form = format!("text=All+tills&touchpoint={}", outage.cards);
    leads_to(&submit(&muster, &format!("/at/{code}/report"), &form).await);
    let case = muster.get("/cases").await.good()["cases"][0].clone();
    assert_eq!(case["location"]["id"], outage.leeds.as_str());
    assert_eq!(case["touchpoint"]["id"], outage.cards.as_str());
    assert_eq!(case["channel"], "location_form");
    assert_eq!(visit(&muster, "/at/wrong/report").await.status.as_u16(), 404);
    assert_eq!(
        submit(&muster, "/at/wrong/report", "text=x")
            .await
            .status
            .as_u16(),
        404
    );
    assert_eq!(visit(&muster, "/case/wrong").await.status.as_u16(), 404);
}

#[store::both_engines]
async fn who_reported_a_fault_that_is_worked_on_reads_so(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let own = leads_to(&submit(&muster, "/report", "text=Cards+are+refused").await);
    let known = "It is a fault that we know of and work on";
    assert!(!visit(&muster, &own).await.text.contains(known));
    let case = muster.get("/cases").await.good()["cases"][0].clone();
    link(&muster, &case, &outage.incident).await;
    assert!(visit(&muster, &own).await.text.contains(known));
    set_status(&muster, &outage.incident, "resolved").await;
    assert!(!visit(&muster, &own).await.text.contains(known));
}

#[store::both_engines]
async fn codes_of_locations_cannot_be_guessed_by_the_form_either(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for number in 0..20 {
        let path = format!("/at/guess{number}/report");
        let answer = match number % 2 {
            0 => visit(&muster, &path).await,
            _ => submit(&muster, &path, "text=x").await,
        };
        assert_eq!(answer.status.as_u16(), 404, "{path}");
    }
    assert_eq!(visit(&muster, "/at/one-more/report").await.status.as_u16(), 429);
    assert_eq!(visit(&muster, "/at/one-more").await.status.as_u16(), 429);
    assert_eq!(visit(&muster, "/report").await.status.as_u16(), 200);
}

#[store::both_engines]
async fn hostile_reports_are_shown_harmlessly_or_refused_in_plain_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let evil = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%3E%3Cimg+src%3Dx+onerror%3Da%3E";
    let own = leads_to(&submit(&muster, "/report", &format!("text={evil}&name={evil}")).await);
    let page = visit(&muster, &own).await;
    assert!(!page.text.contains("<script"));
    assert!(!page.text.contains("<img"));
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    let again = submit(&muster, "/report", &format!("text=&name={evil}&email=nobody")).await;
    assert_eq!(again.status.as_u16(), 400);
    assert!(again.text.contains("Please say what does not work."));
    assert!(again.text.contains("Please check the e-mail address."));
    assert!(!again.text.contains("<script"));
    for (form, status) in [("text=a%00b", 400), ("text=%FF%FE", 303), ("", 400)] {
        assert_eq!(
            submit(&muster, "/report", form).await.status.as_u16(),
            status,
            "{form}"
        );
    }
    let huge = format!("text={}", "x".repeat(200_000));
    assert_eq!(submit(&muster, "/report", &huge).await.status.as_u16(), 413);
}

#[store::both_engines]
async fn robots_other_sites_and_floods_leave_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let robot = submit(&muster, "/report", "text=buy&website=spam").await;
    assert_eq!(robot.status.as_u16(), 200);
    let foreign = Request::post("/report")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from("text=x"))
        .unwrap();
    assert_eq!(muster.send(foreign).await.status.as_u16(), 403);
    assert_eq!(muster.get("/cases").await.good()["cases"], json!([]));
    let mut refused = 0;
    for _ in 0..40 {
        if submit(&muster, "/report", "text=x").await.status.as_u16() == 429 {
            refused += 1;
        }
    }
    assert!(refused >= 20, "{refused}");
}

#[store::both_engines]
async fn recovery_is_the_reporters_to_say(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let own = leads_to(&submit(&muster, "/report", "text=Card+reader+offline&name=Hannah").await);
    let case = muster.get("/cases").await.good()["cases"][0].clone();
    link(&muster, &case, &outage.incident).await;
    set_status(&muster, &outage.incident, "resolved").await;
    muster
        .post(
            &format!("/incidents/{}/answers/confirm", outage.incident),
            json!({}),
        )
        .await
        .good();
    let page = visit(&muster, &own).await;
    assert!(page.text.contains("Does it work for you now?"));
    assert!(page.text.contains("Still broken"));
    leads_to(&submit(&muster, &own, "said=still_broken&text=Not+at+till+2").await);
    muster.settle().await;
    let path = format!("/cases/{}", case["id"].as_str().unwrap());
    let case = muster.get(&path).await.good()["case"].clone();
    assert_eq!(
        (case["status"].as_str(), case["recovery"].as_str()),
        (Some("open"), Some("still_broken"))
    );
    assert_eq!(muster.get("/desk/owed").await.good()["counts"]["owed"], 1);
    let log = muster
        .get(&format!("/incidents/{}/review", outage.incident))
        .await
        .good();
    assert!(
        log.to_string()
            .contains("The reporter of C-1 says that it is still broken")
    );
    leads_to(&submit(&muster, &own, "said=works").await);
    let case = muster.get(&path).await.good()["case"].clone();
    assert_eq!(
        (case["status"].as_str(), case["recovery"].as_str()),
        (Some("closed"), Some("works"))
    );
    assert_eq!(muster.get("/desk/owed").await.good()["counts"]["owed"], 0);
    assert_eq!(submit(&muster, &own, "said=").await.status.as_u16(), 400);
}

#[store::both_engines]
async fn the_same_words_sent_twice_are_heard_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let form = format!("{ONCE}&text=Card+reader+offline&name=Hannah");
    let own = leads_to(&submit(&muster, "/report", &form).await);
    let heard = async || {
        let case = muster.get("/cases").await.good()["cases"][0]["id"].clone();
        let messages = muster
            .get(&format!("/cases/{}/messages", case.as_str().unwrap()))
            .await
            .good();
        messages["messages"].as_array().unwrap().len()
    };
    for _ in 0..3 {
        assert_eq!(leads_to(&submit(&muster, &own, "text=Any+news%3F").await), own);
    }
    assert_eq!(heard().await, 1);
    leads_to(&submit(&muster, &own, "text=Hello%3F").await);
    leads_to(&submit(&muster, &own, "text=Any+news%3F").await);
    assert_eq!(heard().await, 3, "after other words they are news");
    muster.pass_quietly(601);
    leads_to(&submit(&muster, &own, "text=Any+news%3F").await);
    assert_eq!(heard().await, 4, "and so they are later");
}

#[store::both_engines]
async fn a_flood_is_turned_away_however_the_code_is_spelled(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let place = muster.get(&format!("/locations/{}", outage.leeds)).await.good();
    let code = place["location"]["code"].as_str().unwrap().to_owned();
    let spelled = |number: usize| {
        let letters = code.bytes().enumerate().map(|(place, letter)| {
            if number >> (place % 6) & 1 == 1 {
                format!("%{letter:02X}")
            } else {
                char::from(letter).to_uppercase().to_string()
            }
        });
        format!("/at/{}/report", letters.collect::<String>())
    };
    let mut kept = 0;
    for number in 0..40 {
        let answer = submit(&muster, &spelled(number), "text=x").await;
        match answer.status.as_u16() {
            303 => kept += 1,
            status => assert_eq!(status, 429),
        }
    }
    let cases = muster.get("/cases?total=true").await.good();
    assert_eq!(cases["total"], kept);
    assert!((1..=20).contains(&kept), "{kept}");
}
