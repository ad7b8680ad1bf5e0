//! A form as a browser without scripts would send it: what stands in its fields, with some of it typed over.

use crate::harness::{Answer, Browser};

pub(super) struct Filled {
    to: String,
    fields: Vec<(String, String)>,
}

impl Filled {
    /// The form of the page that posts to this address.
    #[track_caller]
    pub(super) fn on(page: &str, to: &str) -> Self {
        let form = page
            .split(&format!("action=\"{to}\""))
            .nth(1)
            .and_then(|rest| rest.split("</form>").next())
            .unwrap_or_else(|| panic!("no form posts to {to}: {page}"));
        let mut fields: Vec<(String, String)> = Vec::new();
        for tag in form.split('<').skip(1) {
            let attribute = |name: &str| {
                let rest = tag.split_once(&format!(" {name}=\""))?.1;
                Some(plain(rest.split('"').next().unwrap_or_default()))
            };
            let kind = tag.split([' ', '>']).next().unwrap_or_default();
            match (kind, attribute("name")) {
                ("input", Some(name)) if name != "csrf_token" => {
                    let is_open_box = tag.contains("type=\"checkbox\"") && !tag.contains(" checked");
                    if !is_open_box {
                        fields.push((name, attribute("value").unwrap_or_default()));
                    }
                }
                ("textarea", Some(name)) => {
                    let text = tag.split_once('>').map_or("", |(_, text)| text);
                    fields.push((name, plain(text)));
                }
                ("select", Some(name)) => fields.push((name, String::new())),
                ("option", _) if tag.contains(" selected") => {
                    let value = attribute("value").unwrap_or_default();
                    if let Some((_, chosen)) = fields.last_mut() {
                        *chosen = value;
                    }
                }
                _ => {}
            }
        }
        Self {
            to: to.to_owned(),
            fields,
        }
    }

    /// Types over what stands in a field.
    #[track_caller]
    pub(super) fn with(self, name: &str, value: &str) -> Self {
        self.with_place(name, 0, value)
    }

    /// The same for one of several fields of a name.
    #[track_caller]
    pub(super) fn with_place(mut self, name: &str, nth: usize, value: &str) -> Self {
        let mut named = self.fields.iter_mut().filter(|(one, _)| one == name);
        let (_, field) = named
            .nth(nth)
            .unwrap_or_else(|| panic!("the form has no field {name}"));
        value.clone_into(field);
        self
    }

    /// The same with a button of a name pressed.
    pub(super) fn pressed(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ticks a box.
    pub(super) fn ticked(mut self, name: &str) -> Self {
        self.fields.push((name.to_owned(), "yes".to_owned()));
        self
    }

    #[track_caller]
    pub(super) fn value(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(one, _)| one == name);
        field.map_or_else(|| panic!("the form has no field {name}"), |(_, value)| value)
    }

    pub(super) async fn sent_by(&self, browser: &Browser<'_>) -> Answer {
        browser.send(&self.to, &self.lent()).await
    }

    pub(super) async fn forged_by(&self, browser: &Browser<'_>) -> Answer {
        browser.send_forged(&self.to, &self.lent()).await
    }

    fn lent(&self) -> Vec<(&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

fn plain(text: &str) -> String {
    text.replace("&#39;", "'")
        .replace("&#34;", "\"")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

/// The newest entry of the audit log, as the owner reads it: what was done, to what.
pub(super) async fn newest_audit(muster: &crate::harness::TestApp) -> (String, String) {
    let records = muster.get("/audit/records?limit=1").await.good();
    let record = &records["records"][0];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    (text(&record["action"]), text(&record["root_resource"]["summary"]))
}
