//! A browser in which somebody is signed in: it keeps the cookie, and sends forms with the proof that they came
//! from one of our own pages.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use muster::access::store::add_session;
use muster::people::Role;
use muster::timeline::Agent;
use tower::ServiceExt as _;

use super::{Answer, Person, TestApp};

pub(crate) struct Browser<'a> {
    muster: &'a TestApp,
    cookie: String,
    csrf_token: String,
}

impl TestApp {
    /// The owner's browser.
    pub(crate) async fn browser(&self) -> Browser<'_> {
        self.browser_of(&self.owner).await
    }

    /// The browser of somebody new with this role.
    pub(crate) async fn browser_as(&self, role: Role) -> Browser<'_> {
        let name = format!("{role:?}");
        let person = self
            .person(&name, &format!("{}@example.org", name.to_lowercase()), role)
            .await;
        self.browser_of(&person).await
    }

    pub(crate) async fn browser_of(&self, person: &Person) -> Browser<'_> {
        let id = person.id.clone();
        let token = self
            .app
            .change(Agent::muster(), move |change| {
                add_session(change, &id, None, None)
            })
            .await
            .unwrap();
        let mut browser = Browser {
            muster: self,
            cookie: format!("muster={token}"),
            csrf_token: String::new(),
        };
        let token = browser.token_of_a_page().await;
        // Without the number of this one page: what a test sends twice is meant twice.
        let proof = token.split('.').next().unwrap_or_default();
        proof.clone_into(&mut browser.csrf_token);
        browser
    }
}

impl<'a> Browser<'a> {
    async fn token_of_a_page(&self) -> String {
        let page = self.open("/console/settings/me").await;
        page.split("name=\"csrf_token\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a page carries the proof of its forms")
            .to_owned()
    }

    /// The same person with one page open: all forms sent from now on stand on it.
    pub(crate) async fn on_one_page(self) -> Browser<'a> {
        let csrf_token = self.token_of_a_page().await;
        Browser { csrf_token, ..self }
    }

    /// A page that must be there, and must obey the console's rules.
    pub(crate) async fn open(&self, path: &str) -> String {
        let answer = self.look(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert!(!answer.text.contains(" style="), "{path} has a style attribute");
        answer.text
    }

    pub(crate) async fn look(&self, path: &str) -> Answer {
        let request = Request::get(path)
            .header(header::COOKIE, &self.cookie)
            .body(Body::empty())
            .unwrap();
        self.muster.send(request).await
    }

    /// What a page listens to, piece by piece.
    pub(crate) async fn listen(&self, path: &str) -> axum::body::BodyDataStream {
        let request = Request::get(path)
            .header(header::COOKIE, &self.cookie)
            .body(Body::empty())
            .unwrap();
        let answer = self.muster.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.into_body().into_data_stream()
    }

    /// Sends a form.
    pub(crate) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_with(path, fields, &self.csrf_token).await
    }

    /// Sends a form that did not come from one of our pages.
    pub(crate) async fn send_forged(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_with(path, fields, "guessed").await
    }

    async fn send_with(&self, path: &str, fields: &[(&str, &str)], csrf_token: &str) -> Answer {
        let body: Vec<String> = fields
            .iter()
            .chain(&[("csrf_token", csrf_token)])
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let request = Request::post(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.join("&")))
            .unwrap();
        self.muster.send(request).await
    }

    /// Sends a form that must be taken, and gives where it leads.
    #[track_caller]
    pub(crate) fn led_to(answer: &Answer) -> String {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.headers[header::LOCATION].to_str().unwrap().to_owned()
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
