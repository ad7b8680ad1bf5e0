// What the console's scripts do, tried in a real browser on drawn pages (see shoot.mjs for the folder).
//
//   node --test behaviour.mjs      with MUSTER_RENDER_TO naming the folder
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { openPage, startMuster } from "./muster.mjs";

const FOLDER = process.env.MUSTER_RENDER_TO;
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const answers = new Map(); // what a test wants to be answered at a path
let server, browser, base, page;

before(async () => {
  server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://x").pathname;
    if (answers.has(path)) { response.writeHead(200, { "content-type": TYPES[".html"] }).end(answers.get(path)); return; }
    if (path === "/console/live") { response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders(); return; }
    try { response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" }).end(await readFile(join(FOLDER, path))); }
    catch { if (!response.headersSent) response.writeHead(404); response.end(); }
  }).listen(0);
  base = `http://127.0.0.1:${server.address().port}`;
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
});
after(async () => { await browser?.close(); server?.closeAllConnections(); server?.close(); });

async function open(name, options = {}) {
  page = await browser.newPage({ viewport: { width: 1440, height: 900 }, ...options });
  await page.goto(`${base}/${name}.html`, { waitUntil: "load" });
  return page;
}

test("G and a letter goes to a place", async () => {
  await open("now");
  answers.set("/console/desk", "<title>desk</title>");
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.waitForURL("**/console/desk");
  answers.delete("/console/desk");
});

test("single keys are off while a field has the focus", async () => {
  await open("desk");
  await page.locator("#question").focus();
  await page.keyboard.type("r?");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  assert.match(await page.locator("#question").inputValue(), /r\?/);
});

test("? lists the keys, also those of this page, and Escape gives the focus back", async () => {
  await open("room");
  await page.keyboard.press("?");
  const listed = await page.locator("#keys-list").innerText();
  assert.match(listed, /Escalate/);
  assert.match(listed, /On call/);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
});

test("a key of the page does what its button does", async () => {
  await open("room");
  await page.keyboard.press("e");
  assert.ok(await page.locator("#escalate[open]").isVisible());
});

test("the palette finds places and actions and is driven by the keyboard", async () => {
  await open("room");
  answers.set("/console/on-call", "<title>on call</title>");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("on ca");
  await page.waitForFunction(() => document.querySelectorAll("#palette-found [role=option]").length === 1);
  await page.keyboard.press("Enter");
  await page.waitForURL("**/console/on-call");
  answers.delete("/console/on-call");
});

test("J and K walk the rows", async () => {
  await open("now");
  await page.keyboard.press("j");
  const first = await page.evaluate(() => document.activeElement.closest("[data-row]").id);
  await page.keyboard.press("j");
  const second = await page.evaluate(() => document.activeElement.closest("[data-row]").id);
  assert.deepEqual([first, second], ["need-1", "need-2"]);
});

test("the composer says who will read it before a word is typed, and keeps a draft for each", async () => {
  await open("room");
  await page.locator("#say-words").fill("for us only");
  await page.getByRole("radio", { name: "Customers" }).check({ force: true });
  assert.match(await page.locator("#say-sees").innerText(), /^Public: 298/);
  assert.equal(await page.locator("[data-composer-verb]").innerText(), "Tell customers");
  assert.equal(await page.locator("#say-words").inputValue(), "");
  const border = await page.locator("#say").evaluate((form) => getComputedStyle(form).borderStyle);
  assert.equal(border, "solid");
  await page.getByRole("radio", { name: "Inside" }).check({ force: true });
  assert.equal(await page.locator("#say-words").inputValue(), "for us only");
});

test("times count on from the server's time", async () => {
  await open("now");
  await page.clock.install();
  const before = await page.locator(".need .countdown").first().innerText();
  await page.evaluate(() => { window.muster.setServerTime("2026-11-17T06:15:30Z"); window.muster.tick(); });
  const later = await page.locator(".need .countdown").first().innerText();
  assert.match(before, /left/);
  assert.equal(later.trim(), "1 min late");
});

const row = (id, words) => `<li class="happening" id="${id}" data-live-row data-row><h3><a href="#">${words}</a></h3></li>`;

async function renew(list, html) {
  answers.set("/console/now/happening", html);
  await page.evaluate((id) => window.htmx.trigger(`#${id}`, "sse:incidents"), list);
}

test("a live list changes rows in place, lets new ones in and old ones go", async () => {
  await open("now");
  await page.mouse.move(5, 5);
  await page.locator("#incident-1043").evaluate((element) => { element.dataset.seen = "yes"; });
  await renew("happening", row("incident-1050", "A new one") + row("incident-1042", "Changed"));
  await page.locator("#incident-1050").waitFor();
  const ids = await page.locator("#happening > li").evaluateAll((rows) => rows.map((each) => each.id));
  assert.deepEqual(ids, ["incident-1050", "incident-1042"]);
  assert.match(await page.locator("#incident-1042").innerText(), /Changed/);
  answers.delete("/console/now/happening");
});

test("nothing moves under the pointer: new rows wait and say how many they are", async () => {
  await open("now");
  await page.locator("#incident-1042").hover();
  await renew("happening", row("incident-1050", "A new one") + row("incident-1042", "Card payments"));
  await page.locator("#happening-waiting").waitFor();
  assert.equal(await page.locator("#happening-waiting").innerText(), "1 new");
  assert.equal(await page.locator("#incident-1050").count(), 0);
  await page.locator("#happening-waiting").click();
  await page.locator("#incident-1050").waitFor();
  answers.delete("/console/now/happening");
});

test("what could not be fetched is fetched again", async () => {
  await open("now");
  await page.clock.install();
  await page.mouse.move(5, 5);
  await page.route("**/console/now/happening", (route) => route.fulfill({ status: 503 }), { times: 1 });
  const refused = page.waitForResponse((answer) => answer.status() === 503);
  await renew("happening", row("incident-1050", "A new one"));
  await (await refused).finished();
  await page.clock.runFor(6_000);
  await page.locator("#incident-1050").waitFor();
  answers.delete("/console/now/happening");
});

test("a whole page is as good an answer as its rows", async () => {
  await open("now");
  await page.mouse.move(5, 5);
  await renew("happening", `<!doctype html><html><body><ul id="needs">${row("need-9", "Not of this list")}</ul><ul id="happening">${row("incident-1042", "Of this list")}</ul></body></html>`);
  await page.getByText("Of this list", { exact: true }).waitFor();
  const ids = await page.locator("#happening > li").evaluateAll((rows) => rows.map((each) => each.id));
  assert.deepEqual(ids, ["incident-1042"]);
  answers.delete("/console/now/happening");
});

test("focus is never lost by a live update", async () => {
  await open("now");
  await page.mouse.move(5, 5);
  await page.locator("#incident-1042 a").focus();
  await renew("happening", row("incident-1042", "Changed while focused"));
  await page.waitForTimeout(200);
  assert.equal(await page.evaluate(() => document.activeElement.closest("[data-row]")?.id), "incident-1042");
  answers.delete("/console/now/happening");
});

test("rows that are chosen can be acted on together", async () => {
  await open("incidents");
  await page.getByLabel("Choose #1042").check();
  await page.getByLabel("Choose #1043").check();
  assert.equal(await page.locator("[data-bulk-count]").innerText(), "2 chosen");
});

test("a remedy of the checker goes into the words", async () => {
  await open("updates");
  await page.locator("#edit-customers").evaluate((field) => { field.value = "the store-edge agent restarts"; });
  await page.getByRole("button", { name: "Use that" }).click();
  assert.equal(await page.locator("#edit-customers").inputValue(), "the till system restarts");
});

test("without scripts every page still shows what it has to say", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  page = await context.newPage();
  for (const [name, words] of [["now", "Five things need you"], ["desk", "Is it us?"], ["public", "Card payments are not working"]]) {
    await page.goto(`${base}/${name}.html`);
    assert.match(await page.locator("h1").innerText(), new RegExp(words.replace("?", "\\?")));
  }
  await context.close();
});

/** What has the focus, and whether that can be seen. */
const focused = () => page.evaluate(() => {
  const element = document.activeElement, style = getComputedStyle(element);
  // A field inside a tinted label shows the focus on the label; a field without a frame on what holds it, as the composer.
  const shown = (one) => one && (getComputedStyle(one).outlineStyle !== "none" || getComputedStyle(one).boxShadow !== "none");
  return {
    at: element === document.body ? "" : element.id || element.getAttribute("name") || element.getAttribute("href") || element.textContent.trim(),
    visible: style.outlineStyle !== "none" || shown(element.closest("label, .segments > *, .find, .composer")),
    inside: element.closest("dialog")?.id ?? "",
  };
});

for (const name of ["now", "room", "incidents", "desk", "services", "shops", "oncall", "updates", "page", "settings", "report-edit"]) {
  test(`every action of ${name} is reached with Tab, and the focus can be seen`, async () => {
    await open(name);
    const wanted = await page.evaluate(() => {
      const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")];
      const seen = all.filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: false }) && !one.disabled && !one.closest("dialog"));
      // One of a group of radio buttons stands for all: the arrows walk the others. A wall is walked the same way.
      const stops = seen.filter((one) => one.type !== "radio" || one.checked);
      stops.forEach((one, index) => { one.dataset.stop = String(index); });
      return stops.length;
    });
    const reached = new Set();
    const unseen = [];
    for (let step = 0; step < wanted + 40 && reached.size < wanted; step++) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => document.activeElement.dataset.stop);
      if (stop !== undefined) reached.add(stop);
      const now = await focused();
      if (now.at && !now.visible) unseen.push(now.at);
    }
    const missed = await page.evaluate((found) => [...document.querySelectorAll("[data-stop]")]
      .filter((one) => !found.includes(one.dataset.stop)).map((one) => one.outerHTML.slice(0, 120)), [...reached]);
    assert.deepEqual(missed, []);
    assert.deepEqual(unseen, []);
  });
}

test("a dialog takes the focus, keeps it, and gives it back", async () => {
  await open("room");
  await page.locator("[data-open=escalate]").first().focus();
  await page.keyboard.press("Enter");
  assert.equal((await focused()).inside, "escalate");
  for (let step = 0; step < 12; step++) {
    await page.keyboard.press("Tab");
    const { at, inside } = await focused();
    assert.ok(inside === "escalate" || at === "", `the focus went to ${at}`);
  }
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.open), "escalate");
});

test("before something is taken away it is asked, and “not yet” leaves everything as it was", async () => {
  await open("settings");
  let sent = 0;
  page.on("request", (request) => { if (request.method() === "POST") sent += 1; });
  const button = page.locator("form[data-question] button").first();
  await button.focus();
  await page.keyboard.press("Enter");
  assert.match(await page.locator("#really-question").innerText(), /^Remove .*\?/);
  assert.equal(await page.locator("[data-really]").innerText(), "Remove");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  await page.waitForTimeout(100);
  assert.equal(sent, 0);
  await page.keyboard.press("Enter");
  await page.locator("[data-really]").focus();
  await Promise.all([page.waitForRequest((request) => request.method() === "POST"), page.keyboard.press("Enter")]);
});

test("who comes back to a page is asked again", async () => {
  await open("settings");
  let sent = 0;
  await page.route("**/*", (route) => {
    if (route.request().method() !== "POST") return route.continue();
    sent += 1;
    return route.fulfill({ status: 204 }); // the page stays as it is, as after Back
  });
  const button = page.locator("form[data-question] button").first();
  await button.click();
  await Promise.all([page.waitForRequest((request) => request.method() === "POST"), page.locator("[data-really]").click()]);
  await button.click();
  await page.locator("#really[open]").waitFor();
  assert.equal(sent, 1);
});

test("the palette says when nothing is found, and Escape gives the focus back", async () => {
  await open("room");
  await page.locator("#say-words").focus();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("zzzz");
  await page.getByText("Nothing of this name").waitFor();
  await page.keyboard.press("Escape");
  assert.equal((await focused()).at, "say-words");
});

test("by keyboard alone: sign in, open the incident from Now, acknowledge it, write a note", async () => {
  const muster = await startMuster();
  try {
    const policy = await muster.post("/escalation_policies", {
      escalation_policy: {
        type: "escalation_policy", name: "Payments",
        escalation_rules: [{ escalation_delay_in_minutes: 5, targets: [{ id: muster.owner.user_id, type: "user_reference" }] }],
      },
    });
    const service = await muster.post("/services", {
      service: { type: "service", name: "card-gateway", escalation_policy: { id: policy.escalation_policy.id, type: "escalation_policy_reference" } },
    });
    const integration = await muster.post(`/services/${service.service.id}/integrations`, { integration: { type: "events_api_v2_inbound_integration", name: "Monitoring" } });
    await muster.post("/v2/enqueue", {
      routing_key: integration.integration.integration_key, event_action: "trigger",
      payload: { summary: "Terminals are silent", source: "leeds", severity: "critical" },
    });
    page = await openPage(browser, muster.base);
    await page.goto(`${muster.base}/console`);
    await page.locator("input[name=email]:focus").waitFor();
    await page.keyboard.type(muster.email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(muster.password);
    await page.keyboard.press("Enter");
    await page.getByText("Terminals are silent").first().waitFor();

    for (let step = 0; step < 6; step++) {
      await page.keyboard.press("j");
      if (/\/console\/incidents\//.test((await focused()).at)) break;
    }
    assert.match((await focused()).at, /\/console\/incidents\//, "J walks to the incident");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/console\/incidents\/./);

    await page.keyboard.press("a");
    await page.locator("#room-head .state.acknowledged").waitFor();

    await page.keyboard.press("n");
    assert.equal((await focused()).at, "say-words");
    await page.keyboard.type("The terminals lost their route. Rolling back.");
    await page.keyboard.press("Control+Enter");
    await page.locator("#timeline").getByText("The terminals lost their route.").waitFor();
    assert.equal(await page.locator("#say-words").inputValue(), "", "the note is written and the field is empty again");
    assert.deepEqual(page.errors, []);
  } finally {
    await page.context().close();
    await muster.stop();
  }
});
