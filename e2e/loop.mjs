// The whole loop in a real browser, as one story: sign in, an event arrives, it is acknowledged on a phone by the link
// of the page, a customer reports, an agent asks "is it us?" and links the case, customers are told, it is resolved, the
// reporter is answered, the report is read. Every page on the way is looked at by axe-core; at the end every
// page that the rail leads to, in both themes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { startMail } from "./mail.mjs";
import { everyPlace, openPage, startBrowser, startMuster, violations } from "./muster.mjs";

const SYMPTOM = "Card payments do not work in Leeds.";
const REPORT = "The card reader at Leeds Briggate keeps saying offline. Have I paid or not?";
const HOSTILE = '<img src=x onerror="document.title=1"> \u202Eمتجر & "Söhne"';

let mail;
let muster;
let browser;
let desk; // The page at a desk that stays signed in through the story.
const known = {};

before(async () => {
  mail = await startMail();
  muster = await startMuster({ MUSTER_SMTP_URL: mail.url, MUSTER_MAIL_FROM: "muster@example.org" });
  browser = await startBrowser();
  const policy = await muster.post("/escalation_policies", {
    escalation_policy: {
      type: "escalation_policy",
      name: "Payments",
      escalation_rules: [{ escalation_delay_in_minutes: 5, targets: [{ id: muster.owner.user_id, type: "user_reference" }] }],
    },
  });
  const service = await muster.post("/services", {
    service: { type: "service", name: "card-gateway", escalation_policy: { id: policy.escalation_policy.id, type: "escalation_policy_reference" } },
  });
  known.service = service.service.id;
  const integration = await muster.post(`/services/${known.service}/integrations`, {
    integration: { type: "events_api_v2_inbound_integration", name: "Monitoring" },
  });
  known.key = integration.integration.integration_key;
  const touchpoint = await muster.post("/business_services", {
    business_service: {
      type: "business_service", name: "Card payments", harm_weight: 90, customer_words: "I cannot pay by card",
      fallback: "Take cash.\nHold baskets until tomorrow.", words_to_say: "It is us, not your card.",
    },
  });
  known.touchpoint = touchpoint.business_service.id;
  await muster.post("/service_dependencies/associate", {
    relationships: [{ supporting_service: { id: known.service, type: "service" }, dependent_service: { id: known.touchpoint, type: "business_service" } }],
  });
  const use = [{ id: known.touchpoint, type: "business_service_reference" }];
  const shop = await muster.post("/locations", { location: { name: "Leeds Briggate", kind: "site", time_zone: "Europe/London", services: use } });
  known.code = shop.location.code;
  await muster.post("/locations", { location: { name: HOSTILE, kind: "site", services: use } });
  const account = await muster.post("/accounts", { account: { name: HOSTILE, tier: "business", email: "ana@example.org" } });
  known.account = account.account.id;
  const page = await muster.post("/status_pages", { status_page: { name: "Larkfield", slug: "larkfield", time_zone: "Europe/London" } });
  known.page = page.status_page.id;
  await muster.post(`/status_pages/${known.page}/components`, {
    component: { name: "Card payments", business_service: { id: known.touchpoint, type: "business_service_reference" } },
  });
  const turns = { name: "Days", start: "2026-11-01T00:00:00Z", rotation_virtual_start: "2026-11-01T00:00:00Z", rotation_turn_length_seconds: 86_400 };
  await muster.post("/schedules", {
    schedule: { type: "schedule", name: "Payments", time_zone: "Europe/London", schedule_layers: [{ ...turns, users: [{ user: { id: muster.owner.user_id, type: "user_reference" } }] }] },
  });
  await muster.post("/teams", { team: { name: HOSTILE } });
  await muster.post("/maintenance_windows", {
    maintenance_window: {
      type: "maintenance_window", start_time: "2036-11-18T22:00:00Z", end_time: "2036-11-18T23:30:00Z",
      description: HOSTILE, public_words: "The stock shown may be 10 minutes old.", services: [{ id: known.service, type: "service_reference" }],
    },
  });
  await maintain(policy.escalation_policy.id);
  desk = await openPage(browser, muster.base);
});

/** Something of the status page and of a shop that is being worked on. */
async function maintain(policy) {
  const { service } = await muster.post("/services", {
    service: { type: "service", name: "stock-lookup", escalation_policy: { id: policy, type: "escalation_policy_reference" } },
  });
  const { business_service: stock } = await muster.post("/business_services", { business_service: { name: "Stock in shops", customer_words: "I cannot see what is in stock" } });
  await muster.post("/service_dependencies/associate", {
    relationships: [{ supporting_service: { id: service.id, type: "service" }, dependent_service: { id: stock.id, type: "business_service" } }],
  });
  const { location } = await muster.post("/locations", { location: { name: "York", kind: "site", services: [{ id: stock.id, type: "business_service_reference" }] } });
  known.maintained = location.code;
  await muster.post(`/status_pages/${known.page}/components`, { component: { name: "Stock in shops", business_service: { id: stock.id, type: "business_service_reference" } } });
  const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
  await muster.post("/maintenance_windows", {
    maintenance_window: {
      type: "maintenance_window", start_time: at(0), end_time: at(120), description: "New disks",
      public_words: "The stock shown may be old.", services: [{ id: service.id, type: "service_reference" }],
    },
  });
}

after(async () => {
  await browser?.close();
  await muster?.stop();
  mail?.stop();
});

async function signIn(page) {
  await page.goto(`${muster.base}/console`);
  await page.fill("input[name=email]", "maya@example.org");
  await page.fill("input[name=password]", muster.password);
  await page.click("button[type=submit]");
  await page.waitForURL(`${muster.base}/console`);
}

async function clean(page, where) {
  assert.deepEqual(await violations(page), [], `axe-core on ${where}`);
  assert.deepEqual(page.strangers, [], `requests to other hosts on ${where}`);
  assert.deepEqual(page.errors, [], `errors of scripts on ${where}`);
}

/** A page for somebody without an account. */
async function visitor(path, options) {
  const page = await openPage(browser, muster.base, options);
  await page.goto(muster.base + path);
  return page;
}

/** Sends a form and waits for the page that it leads to. */
async function send(page, button) {
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.locator(button).first().click()]);
}

/** Walks with one key to what says so, or stands there, and sees that the focus shows. */
async function walkTo(page, key, where) {
  for (let step = 0; step < 80; step++) {
    await page.keyboard.press(key);
    const [stands, shows] = await page.evaluate((where) => {
      const at = document.activeElement;
      return [at.matches(where), getComputedStyle(at).outlineStyle !== "none"];
    }, where);
    if (!stands) continue;
    assert.ok(shows, `the focus is not seen on ${where}`);
    return;
  }
  assert.fail(`${key} never came to ${where}`);
}

/** Presses a key that leads to another page. */
async function leave(page, key) {
  await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.keyboard.press(key)]);
}

/** Waits until a page says something, then opens it. Asked past the browser's cache, which may keep public pages. */
async function eventually(page, path, words) {
  const until = Date.now() + 10_000;
  for (;;) {
    const text = await (await page.request.get(muster.base + path)).text();
    if (text.includes(words)) break;
    assert.ok(Date.now() < until, `“${words}” never came to ${path}: ${text}`);
    await page.waitForTimeout(100);
  }
  await page.goto(muster.base + path);
  return page.locator("body").innerText();
}

test("a wrong password is refused in plain words, the right one leads to Now", async () => {
  await desk.goto(`${muster.base}/console`);
  await clean(desk, "the sign-in");
  await desk.fill("input[name=email]", "maya@example.org");
  await desk.fill("input[name=password]", "not the password");
  await desk.click("button[type=submit]");
  assert.match(await desk.textContent("body"), /do not match/);
  await signIn(desk);
  await clean(desk, "the first Now");
  assert.match(await desk.textContent("h1"), /\S/);
});

const trigger = (key) => muster.post("/v2/enqueue", {
  routing_key: known.key,
  event_action: "trigger",
  dedup_key: key,
  payload: { summary: "Card terminals silent in Leeds", source: key, severity: "critical", group: "Leeds Briggate" },
});

test("an event shows on Now by itself, and one tap behind the link of its page acknowledges it on a phone", async () => {
  const phone = await openPage(browser, muster.base, { width: 390, theme: "dark" });
  await signIn(phone);
  await trigger("till-1");
  for (const page of [desk, phone]) await page.waitForSelector("text=Customers have trouble with Card payments in 1 place", { timeout: 10_000 });
  await phone.reload();
  await clean(phone, "Now on a phone");
  const link = await mail.link("maya@example.org", "/ack/");
  await phone.goto(link);
  await clean(phone, "the page behind the link");
  await send(phone, "button:has-text('Acknowledge')");
  await clean(phone, "the page behind the link after the tap");
  assert.match(await phone.locator("main").innerText(), /you have it/);
  await send(phone, "a:has-text('Open the incident room')");
  await clean(phone, "the room on a phone");
  const incident = (await muster.get("/incidents")).incidents[0];
  assert.equal(incident.status, "acknowledged");
  known.incident = incident.id;
  known.pages = [new URL(link).pathname];
  await phone.context().close();
});

test("a reader of the status page asks to be told, by an address that is confirmed", async () => {
  const reader = await visitor("/status/larkfield", { width: 390 });
  await reader.locator("form").evaluate((form) => { form.noValidate = true; });
  await reader.fill("#email", "nobody");
  await send(reader, "form button");
  await clean(reader, "an address that is none");
  await reader.goto(`${muster.base}/status/larkfield`);
  await reader.fill("#email", "reader@example.org");
  await send(reader, "form button");
  await clean(reader, "the answer to who wants to be told");
  const link = await mail.link("reader@example.org", "/confirm/");
  await reader.goto(link);
  await clean(reader, "the question behind the link");
  await send(reader, "main form button");
  await clean(reader, "the confirmed address");
  known.pages.push(new URL(link).pathname);
  await reader.context().close();
});

test("the shop reads what to do without a script, and a customer reports on the public form", async () => {
  const shop = await visitor(`/at/${known.code}`, { width: 390, scripts: "off" });
  assert.equal(await shop.locator("h1").innerText(), "Card payments do not work here");
  await shop.getByText("Hold baskets until tomorrow.").waitFor();
  await shop.context().close();
  const inText = execFileSync("w3m", ["-dump", "-cols", "80", `${muster.base}/at/${known.code}`], { encoding: "utf8" });
  const [what, instead] = ["Card payments do not work here", "Hold baskets until tomorrow."].map((words) => inText.indexOf(words));
  assert.ok(what >= 0 && instead > what, inText);

  const customer = await visitor("/report", { width: 390 });
  await clean(customer, "the public form");
  await customer.fill("#text", REPORT);
  await customer.selectOption("#touchpoint", { label: "Card payments" });
  await customer.fill("#name", "Ana Lind");
  await customer.fill("#email", "ana@example.org");
  await customer.click("button[type=submit]");
  await customer.waitForURL(/\/case\//);
  known.casePath = new URL(customer.url()).pathname;
  await clean(customer, "the reporter's own page");
  await customer.context().close();
});

test("on the desk the agent asks “is it us?”, sees why, and links the case, by keyboard alone", async () => {
  await desk.goto(`${muster.base}/console/desk`);
  await walkTo(desk, "j", "#owed a.row-link");
  await leave(desk, "Enter");
  await desk.waitForSelector(".case-card");
  await desk.waitForSelector("article.match .answer");
  assert.match(await desk.locator("article.match .answer").first().innerText(), /Yes/);
  assert.match(await desk.locator("#matches").innerText(), /Why it matches/);
  await clean(desk, "the desk with a case");
  await leave(desk, "l");
  const incident = (await muster.get(`/incidents/${known.incident}/impact`)).impact;
  assert.equal(incident.cases.linked, 1);
});

test("customers are told from the browser, and the status page shows it at once", async () => {
  await desk.goto(`${muster.base}/console/updates?incident=${known.incident}`);
  await desk.click("[data-open=edit-facts]");
  await desk.fill("#fact-symptom", SYMPTOM);
  await send(desk, "#edit-facts button.primary");
  await clean(desk, "the composer of updates");
  await walkTo(desk, "Tab", "form.audience-form button.outside");
  await leave(desk, "Enter");
  const reader = await openPage(browser, muster.base, { scripts: "off" });
  const text = await eventually(reader, "/status/larkfield", SYMPTOM);
  assert.match(text, /We will tell you more by \d\d:\d\d/);
  await reader.context().close();
  known.unsubscribe = new URL(await mail.link("reader@example.org", "/unsubscribe/")).pathname;
});

test("a note and the resolution are kept in the room, and no text becomes markup", async () => {
  await desk.goto(`${muster.base}/console/incidents/${known.incident}`);
  await desk.fill("#say-words", `Rolling back <script>alert(1)</script>`);
  await desk.click("[data-composer-verb]");
  await desk.waitForSelector("text=Rolling back <script>");
  await clean(desk, "the room");
  await desk.locator("[data-open=resolve]:visible").first().click();
  const dialog = desk.locator("dialog#resolve");
  for (const field of await dialog.locator("textarea, input[type=text], input.input").all()) {
    if (!(await field.inputValue())) await field.fill("Rolled back");
  }
  await clean(desk, "the question before resolving");
  await send(desk, "dialog#resolve button.primary[type=submit]");
  assert.equal((await muster.get(`/incidents/${known.incident}`)).incident.status, "resolved");
});

test("the reporter is answered from the desk, and nobody is owed an answer any more", async () => {
  const until = Date.now() + 10_000;
  for (;;) {
    await desk.goto(`${muster.base}/console/desk`);
    if (await desk.locator("#owed a.row-link").count()) break;
    assert.ok(Date.now() < until, "the case is not on the list of who is owed an answer");
  }
  await desk.click("#owed a.row-link >> nth=0");
  await desk.waitForSelector(".case-card textarea[name=words]");
  const words = desk.locator(".case-card textarea[name=words]");
  if (!(await words.inputValue()).trim()) await words.fill("It works again. You have not been charged twice.");
  await clean(desk, "the desk before answering");
  await send(desk, ".case-card button:has-text('Send')");
  await eventually(desk, "/console/desk", "Nobody waits for an answer");
  const customer = await visitor(known.casePath, { width: 390 });
  await customer.getByRole("heading", { name: "Does it work for you now?", exact: true }).waitFor();
  await clean(customer, "the answer as its reporter reads it");
  await customer.click("button:has-text('It works')");
  await customer.context().close();
});

test("the report has written itself; it is put right, published and exported", async () => {
  const list = await eventually(desk, "/console/learn", `/console/learn/${known.incident}`);
  assert.match(list, /Customers (had trouble with|could not use) Card payments/, "what is over is told in the past");
  await desk.goto(`${muster.base}/console/learn/${known.incident}`);
  await clean(desk, "the report");
  await desk.goto(`${muster.base}/console/learn/${known.incident}/edit`);
  await clean(desk, "the report while it is edited");
  await desk.fill("textarea[name=words] >> nth=0", `A restart dropped the route. ${HOSTILE}`);
  await send(desk, "form.report-fields button.primary");
  await desk.getByText("A restart dropped the route.").waitFor();
  await send(desk, "button:has-text('Publish to everyone here')");
  await clean(desk, "the published report");
  const ask = (form) => fetch(`${muster.base}/incidents/${known.incident}/review.${form}`, { headers: muster.headers });
  const until = Date.now() + 10_000;
  let written = await ask("md");
  while (!written.ok && Date.now() < until) written = await ask("md");
  assert.equal(written.status, 200);
  assert.match(await written.text(), /A restart dropped the route/);
  const history = await eventually(desk, "/status/larkfield/history", "/status/larkfield/incidents/");
  assert.match(history, /Card payments/);
  const story = await desk.locator("a[href^='/status/larkfield/incidents/']").first().getAttribute("href");
  known.pages.push(known.unsubscribe, story, `/incidents/${known.incident}/review.html`);
});

test("a second event is acknowledged with one tap in the console on a phone", async () => {
  await trigger("till-2");
  const phone = await openPage(browser, muster.base, { width: 390 });
  await signIn(phone);
  await phone.waitForSelector("button:has-text('Acknowledge') >> visible=true", { timeout: 10_000 });
  await phone.click("button:has-text('Acknowledge') >> visible=true");
  await phone.waitForURL(/\/console\/incidents\//);
  const { incidents } = await muster.get("/incidents");
  assert.deepEqual(incidents.map((one) => one.status).sort(), ["acknowledged", "resolved"]);
  known.pages.push(new URL(await mail.link("maya@example.org", "/ack/")).pathname);
  await phone.context().close();
});

/** Pages that no link of the console leads to, with what they answer. */
const FURTHER = new Map([
  ["/console/kit", 200], ["/console/sign-in", 200], ["/console/sign-in/forgotten", 200], ["/console/password/nothing", 410],
  ["/console/nothing-here", 404], ["/console/incidents/NOTHING", 404], ["/nothing-here", 404],
  ["/status/larkfield", 200], ["/status/larkfield/history", 200], ["/status/larkfield/confirm/nothing", 200],
  ["/status/larkfield/unsubscribe/nothing", 200], ["/status/nothing-here", 404], ["/report", 200], ["/at/nothing", 404],
  ["/case/nothing", 404], ["/ack/nothing", 404], ["/docs", 200], ["/docs/incidents", 200],
]);

// How a page is drawn does not hang on the engine, and looking at all of them takes minutes.
const themes = process.env.MUSTER_TEST_DATABASE === "postgresql" ? [] : ["light", "dark"];
for (const theme of themes) {
  for (const width of [1440, 390]) {
    test(`every page is clean in ${theme} at ${width}`, async () => {
      const page = await openPage(browser, muster.base, { theme, width });
      await signIn(page);
      known.places ??= await everyPlace(page, muster);
      assert.ok(known.places.length > 35, `only ${known.places.length} kinds of pages were found`);
      const visited = new Map([...known.places.map((path) => [path, 200]), ...FURTHER]);
      for (const path of [`/at/${known.code}`, `/at/${known.code}/report`, `/at/${known.maintained}`, known.casePath, ...known.pages]) visited.set(path, 200);
      for (const [path, wanted] of visited) {
        const answer = await page.goto(muster.base + path);
        assert.equal(answer.status(), wanted, `${path} answered ${answer.status()}`);
        await clean(page, `${path} (${theme}, ${width})`);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wider <= 0, `${path} is ${wider} px wider than a screen of ${width}`);
      }
      await page.context().close();
    });
  }
}

test("who may not see a page is told so on a page that is clean", async () => {
  const person = await muster.post("/users", { user: { type: "user", name: "Ben", email: "ben@example.org", role: "read_only_user", time_zone: "Europe/London" } });
  const page = await openPage(browser, muster.base, { width: 390, theme: "dark" });
  await desk.goto(`${muster.base}/console/settings`);
  await desk.locator(`form[action$='/${person.user.id}/password'] button`).click();
  await Promise.all([desk.waitForNavigation({ waitUntil: "load" }), desk.locator("[data-really]").click()]);
  await clean(desk, "the link for a new password");
  await page.goto(await desk.locator(".command pre").innerText());
  await clean(page, "the form behind the link");
  for (const field of await page.locator("input[type=password]").all()) await field.fill("another long password");
  await send(page, "form button[type=submit]");
  const refused = await page.goto(`${muster.base}/console/settings/audit`);
  assert.equal(refused.status(), 403);
  await clean(page, "a refusal");
  await page.context().close();
});

test("what is wrong with a form is said on a page that is clean, and nothing typed is lost", async () => {
  const kept = `Turns by night & "on call" <b>`;
  for (const path of ["/console/on-call/new", "/console/settings/escalation-policies/new"]) {
    await desk.goto(muster.base + path);
    await send(desk, "form.form-fields button[value=more]");
    await desk.fill("#description", kept);
    await desk.locator("form.form-fields").evaluate((form) => { form.noValidate = true; });
    await send(desk, "form.form-fields button.primary");
    await clean(desk, `${path}, refused`);
    assert.equal(await desk.inputValue("#description"), kept);
    assert.ok((await desk.locator(".problem, .problem-box").count()) > 0, `${path} says what is wrong`);
  }
});

test("one click on the link in a letter ends the letters", async () => {
  const reader = await visitor(known.unsubscribe, { width: 390 });
  await send(reader, "main form button");
  await clean(reader, "the end of the letters");
  await reader.context().close();
});
